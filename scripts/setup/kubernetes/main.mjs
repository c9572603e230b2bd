// `npm run setup:kubernetes`: builds what the tests with a real Kubernetes need, with Go 1.26 or newer; 5 to 10 minutes.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { join } from "node:path";
import { TOOLS } from "../places.mjs";

const HERE = fileURLToPath(new URL(".", import.meta.url));
const BIN = join(TOOLS, "kubernetes");
const VERSION = "v1.37.2";
const MARKS = "k8s.io/component-base/version";
// Kubernetes' programs do not start without a version, which its own build writes into them.
const VERSION_FLAGS = `-s -w -X ${MARKS}.gitVersion=${VERSION} -X ${MARKS}.gitMajor=1 -X ${MARKS}.gitMinor=37`;

const PROGRAMS = [
  {
    name: "kube-apiserver",
    module: "kube-apiserver",
    target: "k8s.io/kubernetes/cmd/kube-apiserver",
    flags: VERSION_FLAGS,
  },
  { name: "etcd", module: "kube-apiserver", target: "go.etcd.io/etcd/server/v3", flags: "-s -w" },
  { name: "cert-manager", module: "cert-manager", target: ".", flags: "-s -w" },
];

mkdirSync(BIN, { recursive: true });
for (const { name, module, target, flags } of PROGRAMS) {
  const program = join(BIN, name);
  if (existsSync(program)) continue;
  process.stderr.write(`heddle: building ${name}\n`);
  try {
    execFileSync("go", ["build", "-trimpath", "-buildvcs=false", "-ldflags", flags, "-o", program, target], {
      cwd: join(HERE, module),
      env: { ...process.env, CGO_ENABLED: "0" },
      stdio: "inherit",
    });
  } catch (error) {
    const isMissing = error instanceof Error && "code" in error && error.code === "ENOENT";
    const next = isMissing ? "Install Go 1.26 or newer (https://go.dev/dl)." : "Go says above what is wrong.";
    process.stderr.write(`heddle: Cannot build ${name}\n  ${next}\n`);
    process.exit(1);
  }
}
// The definitions of cert-manager's kinds are read from its module.
const module = execFileSync("go", ["list", "-m", "-f", "{{.Dir}}", "github.com/cert-manager/cert-manager"], {
  cwd: join(HERE, "cert-manager"),
  encoding: "utf8",
}).trim();
execFileSync("cp", ["-R", "--no-preserve=mode", join(module, "deploy/crds"), join(BIN, "crds")]);
