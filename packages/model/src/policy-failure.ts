/** What a policy wants cannot be made of a proxy's configuration. Says whose fault it is, and where it shows. */
export class PolicyFailure extends Error {
  override readonly name = "PolicyFailure";
  /** KRIs: the policy, and the part of it as its section. */
  readonly origins: readonly string[];
  /** The Envoy resource, by type URL and name. */
  readonly typeUrl: string;
  readonly resource: string;

  constructor(
    message: string,
    { origins, typeUrl, resource, cause }: Pick<PolicyFailure, "origins" | "typeUrl" | "resource" | "cause">,
  ) {
    super(message, { cause });
    this.origins = origins;
    this.typeUrl = typeUrl;
    this.resource = resource;
  }
}
