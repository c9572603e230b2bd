/** The key of a node's metadata for the host under which the proxy's launcher reached its control plane. */
export const CONTROL_PLANE_HOST = "controlPlane.host";
