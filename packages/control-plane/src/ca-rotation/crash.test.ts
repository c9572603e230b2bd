import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { CaRotationWish } from "@heddle/api/ports.ts";
import { RotationLab } from "./testkit/rotation-lab.ts";

const PLACE = { mesh: "default" };
const backend = (name: string): object => ({ name, type: "builtin" });
const MESH = {
  type: "Mesh",
  name: "default",
  mtls: { enabledBackend: "ca-1", backends: [backend("ca-1"), backend("ca-2")] },
};
const IDENTITY = {
  type: "MeshIdentity",
  mesh: "default",
  name: "everybody",
  spec: {
    selector: { dataplane: { matchLabels: {} } },
    provider: { type: "Bundled", bundled: { autogenerate: { enabled: true }, insecureAllowSelfSigned: true } },
  },
};

const rotations: readonly {
  readonly what: string;
  readonly mesh: readonly object[];
  readonly identity?: string;
  readonly wish: CaRotationWish;
}[] = [
  {
    what: "a root",
    mesh: [{ ...MESH, mtls: { enabledBackend: "ca-1", backends: [backend("ca-1")] } }],
    wish: { removeOld: true },
  },
  { what: "a backend", mesh: [MESH], wish: { to: "ca-2", removeOld: true } },
  {
    what: "a MeshIdentity",
    mesh: [{ type: "Mesh", name: "default" }, IDENTITY],
    identity: "everybody",
    wish: { removeOld: true },
  },
];

for (const { what, mesh, identity, wish } of rotations) {
  const place = { ...PLACE, identity };
  const isOver = (lab: RotationLab): boolean => lab.running.rotations.current(place)?.phase === "done";

  test(`rotation of ${what}: killed before each of its writes, it ends all the same, and nobody is ever locked out`, async () => {
    for (let last = 0, isThrough = false; !isThrough; last += 1) {
      await using lab = await RotationLab.start(mesh);
      lab.store.fail((write) => write > last);
      await lab.running.rotations.start(place, wish, "jane").catch(() => undefined);
      const isCut = (): boolean => lab.store.writes > last || isOver(lab);
      await lab.until(isCut, () => lab.assertTrusted());
      isThrough = lab.store.writes <= last;
      lab.kill();
      lab.store.fail(() => false);
      await lab.startControlPlane();
      for (const proxy of lab.proxies) lab.connect(proxy);
      // Without a first write there was no rotation: it is asked for again, as an operator would.
      if (lab.running.rotations.current(place) === undefined) await lab.running.rotations.start(place, wish, "jane");
      await lab.until(
        () => isOver(lab),
        () => lab.assertTrusted(),
      );
      await lab.until(() => lab.proxies.every(({ trusted }) => trusted.length === 1));
      lab.assertTrusted();
      // And once more, as at the next restart: what is stored fits together.
      lab.kill();
      await lab.startControlPlane();
      assert.deepEqual(
        lab.failures.filter((text) => text.includes("Cannot load") || text.includes("Cannot use")),
        [],
      );
      assert.ok(last < 50, "there is no end");
    }
  });
}

test("rotation of a root: a write that fails once is tried again", async () => {
  await using lab = await RotationLab.start([MESH]);
  lab.store.fail((write) => write === 3);
  await lab.running.rotations.start(PLACE, { removeOld: true }, "jane");
  await lab.until(() => lab.running.rotations.current(PLACE)?.phase === "done");
  assert.match(lab.failures.join("\n"), /this store is made to fail/);
});

type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;
const step = fc.oneof(
  fc.record({ do: fc.constant("rotate" as const), to: fc.constantFrom(undefined, "ca-1", "ca-2") }),
  fc.record({
    do: fc.constantFrom("acknowledge", "disconnect", "connect", "slow", "prompt"),
    proxy: fc.nat({ max: 2 }),
  }),
  fc.record({ do: fc.constant("restart" as const) }),
);

test("at any moment every certificate in use ends in a root that every connected proxy trusts", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 8, maxLength: 25, size: "max" }), async (steps) => {
      await using lab = await RotationLab.start([MESH]);
      const always = (): void => lab.assertTrusted();
      for (const each of steps) {
        await take(lab, each);
        let turns = 0;
        await lab.until(() => (turns += 1) > 6, always);
      }
      for (const proxy of lab.proxies) {
        proxy.isPrompt = true;
        if (!proxy.isConnected) lab.connect(proxy);
        proxy.acknowledge();
      }
      const isSettled = (): boolean => lab.running.rotations.current(PLACE)?.done ?? true;
      await lab.until(isSettled, always);
    }),
    { numRuns: 10 },
  );
});

async function take(lab: RotationLab, each: Step): Promise<void> {
  if (each.do === "rotate") {
    // Another one may be under way, or make no sense now.
    const { to } = each as { to?: string };
    await lab.running.rotations.start(PLACE, { to, removeOld: false }, "jane").catch(() => undefined);
    return;
  }
  if (each.do === "restart") {
    lab.kill();
    await lab.startControlPlane();
    for (const proxy of lab.proxies) lab.connect(proxy);
    return;
  }
  const proxy = lab.proxies[(each as { proxy: number }).proxy];
  assert.ok(proxy);
  if (each.do === "acknowledge") proxy.acknowledge();
  if (each.do === "slow" || each.do === "prompt") proxy.isPrompt = each.do === "prompt";
  if (each.do === "disconnect" && proxy.isConnected) lab.disconnect(proxy);
  if (each.do === "connect" && !proxy.isConnected) lab.connect(proxy);
}
