import { type Setting, text } from "./setting.ts";

/** Who vouches for people beside this control plane: an OpenID Connect issuer. */
export const OIDC_SETTINGS = {
  oidcIssuer: text({
    path: "apiServer.authn.oidc.issuer",
    variables: ["API_SERVER_AUTHN_OIDC_ISSUER"],
    description:
      "OpenID Connect issuer whose tokens log in to the REST API, such as https://login.example.com; none when empty",
    default: "",
  }),
  oidcClientId: text({
    path: "apiServer.authn.oidc.clientId",
    variables: ["API_SERVER_AUTHN_OIDC_CLIENT_ID"],
    description: "Client that users log in with, as the issuer knows it: a public one, without a secret",
    default: "",
  }),
  oidcAudience: text({
    path: "apiServer.authn.oidc.audience",
    variables: ["API_SERVER_AUTHN_OIDC_AUDIENCE"],
    description:
      "Whom tokens must be made for (aud): ID tokens of clientId when empty, else access tokens for this audience",
    default: "",
  }),
  oidcUsernameClaim: text({
    path: "apiServer.authn.oidc.usernameClaim",
    variables: ["API_SERVER_AUTHN_OIDC_USERNAME_CLAIM"],
    description: "Claim that holds the name of the user; email counts only when the issuer says that it is verified",
    default: "sub",
  }),
  oidcGroupsClaim: text({
    path: "apiServer.authn.oidc.groupsClaim",
    variables: ["API_SERVER_AUTHN_OIDC_GROUPS_CLAIM"],
    description: "Claim that holds the groups of the user; when empty users have none from the issuer",
    default: "",
  }),
  oidcUsernamePrefix: text({
    path: "apiServer.authn.oidc.usernamePrefix",
    variables: ["API_SERVER_AUTHN_OIDC_USERNAME_PREFIX"],
    description: "What stands before the names that the issuer gives, so that they are nobody else's",
    default: "oidc:",
  }),
  oidcGroupsPrefix: text({
    path: "apiServer.authn.oidc.groupsPrefix",
    variables: ["API_SERVER_AUTHN_OIDC_GROUPS_PREFIX"],
    description: "What stands before the groups that the issuer gives",
    default: "oidc:",
  }),
} satisfies Record<string, Setting<string>>;
