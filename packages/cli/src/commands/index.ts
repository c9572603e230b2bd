import type { Group } from "../command-tree.ts";

/** The command tree, in the order of the help. It mirrors the folders beside it; files load when their command runs. */
export const COMMANDS: Group = {
  summary: "A service mesh: control plane, data plane and command line in one",
  examples: [
    ["heddle up --demo", "a mesh with three services on this machine"],
    ["heddle apply -f policy.yaml", "write what a file says, and see every proxy take it"],
    ["heddle inspect dataplanes", "see which proxies are well"],
  ],
  commands: {
    up: {
      summary: "Run a mesh on this machine, with --demo services in it",
      load: () => import("./up.ts"),
      local: true,
    },
    cp: {
      summary: "The control plane",
      examples: [["heddle cp run", "run a control plane with a store in ~/.heddle"]],
      commands: { run: { summary: "Run a control plane", load: () => import("./cp/run.ts"), local: true } },
    },
    dp: {
      summary: "The data plane: a proxy beside a service",
      examples: [["heddle dp run --dataplane-file dp.yaml --dataplane-token-file token", "run the proxy of a service"]],
      commands: { run: { summary: "Run the proxy of a service", load: () => import("./dp/run.ts"), local: true } },
    },
    apply: { summary: "Create or update resources", load: () => import("./apply.ts") },
    get: { summary: "Show resources", load: () => import("./get.ts") },
    delete: { summary: "Delete resources", load: () => import("./delete.ts") },
    translate: {
      summary: "Show what resources of Kuma 2.x are today",
      load: () => import("./translate.ts"),
      local: true,
    },
    explain: { summary: "Tell the fields of a resource type", load: () => import("./explain.ts"), local: true },
    inspect: {
      summary: "Show what proxies have, do and refuse",
      examples: [
        ["heddle inspect dataplanes", "all proxies of a mesh with their state"],
        ["heddle inspect dataplane web-1", "one proxy: connection, certificate, policies"],
        ["heddle inspect meshtimeout slow", "the proxies that a policy reaches"],
        ["heddle inspect access --from web-1 --to api-1", "why a request is allowed or denied"],
      ],
      commands: {
        dataplanes: { summary: "The proxies of a mesh", load: () => import("./inspect/dataplanes.ts") },
        dataplane: { summary: "One proxy", load: () => import("./inspect/dataplane.ts") },
        policy: {
          summary: "The proxies that a policy reaches; also `heddle inspect TYPE NAME`",
          load: () => import("./inspect/policy.ts"),
          isDefault: true,
        },
        rules: {
          summary: "The rules in force at a proxy, and where they come from",
          load: () => import("./inspect/rules.ts"),
        },
        access: { summary: "Whether one proxy may call another, and why", load: () => import("./inspect/access.ts") },
        certificates: {
          summary: "Proxies' certificates, those at risk first",
          load: () => import("./inspect/certificates.ts"),
        },
        authorities: {
          summary: "Who signs certificates, and whether it can",
          load: () => import("./inspect/authorities.ts"),
        },
        meshes: { summary: "All meshes", load: () => import("./inspect/meshes.ts") },
        zones: { summary: "All zones", load: () => import("./inspect/zones.ts") },
      },
    },
    generate: {
      summary: "Make tokens, keys and certificates",
      examples: [
        ["heddle generate dataplane-token --name web-1 --valid-for 720h > token", "a token for one proxy"],
        [
          "heddle generate tls-certificate --type server --hostname cp.example.com",
          "a certificate for the control plane",
        ],
      ],
      commands: {
        "dataplane-token": { summary: "A token for proxies", load: () => import("./generate/dataplane-token.ts") },
        "user-token": { summary: "A token for people and programs", load: () => import("./generate/user-token.ts") },
        "zone-token": { summary: "A token for a zone", load: () => import("./generate/zone-token.ts") },
        "tls-certificate": {
          summary: "A key and a self-signed certificate",
          load: () => import("./generate/tls-certificate.ts"),
          local: true,
        },
        "signing-key": {
          summary: "A private key that signs tokens",
          load: () => import("./generate/signing-key.ts"),
          local: true,
        },
        "public-key": {
          summary: "The public half of a signing key",
          load: () => import("./generate/public-key.ts"),
          local: true,
        },
        crds: {
          summary: "What Kubernetes has to know of the kinds of resources",
          load: () => import("./generate/crds.ts"),
          local: true,
        },
      },
    },
    rotate: {
      summary: "Replace certificate authorities and keys",
      examples: [
        ["heddle rotate ca", "a new root for the mesh, without a failed request"],
        ["heddle rotate encryption-key", "encrypt the store anew, under the key in force"],
      ],
      commands: {
        ca: { summary: "Replace a certificate authority", load: () => import("./rotate/ca.ts") },
        "encryption-key": {
          summary: "Encrypt the store anew, under another key",
          load: () => import("./rotate/encryption-key.ts"),
        },
      },
    },
    auth: {
      summary: "Log in, and who may do what",
      examples: [
        ["heddle auth login", "log in with the browser, where the control plane says"],
        ["heddle auth can-i update MeshTimeout", "whether you may change timeouts"],
      ],
      commands: {
        login: { summary: "Log in with OpenID Connect", load: () => import("./auth/login.ts") },
        logout: { summary: "Forget a login", load: () => import("./auth/logout.ts") },
        whoami: { summary: "Whom the control plane takes you for", load: () => import("./auth/whoami.ts") },
        "can-i": { summary: "Whether somebody may do something, and why", load: () => import("./auth/can-i.ts") },
      },
    },
    config: {
      summary: "The control planes you use",
      examples: [["heddle config control-planes list", "the control planes that are known"]],
      commands: {
        "control-planes": {
          summary: "Add, list, switch and remove control planes",
          examples: [
            [
              "heddle config control-planes add --name prod --address https://cp.example.com:5682",
              "add one and use it",
            ],
            ["heddle config control-planes switch --name local", "use another one"],
          ],
          commands: {
            add: { summary: "Add a control plane and use it", load: () => import("./config/control-planes/add.ts") },
            list: { summary: "List the control planes", load: () => import("./config/control-planes/list.ts") },
            switch: { summary: "Use another control plane", load: () => import("./config/control-planes/switch.ts") },
            remove: { summary: "Forget a control plane", load: () => import("./config/control-planes/remove.ts") },
          },
        },
        view: { summary: "Show the configuration file", load: () => import("./config/view.ts") },
      },
    },
    version: { summary: "Versions of command, control plane and Envoy", load: () => import("./version.ts") },
    completion: { summary: "Completions for bash, zsh and fish", load: () => import("./completion.ts"), local: true },
    complete: {
      summary: "What may come next in a line",
      load: () => import("./complete.ts"),
      local: true,
      hidden: true,
    },
  },
};
