/**
 * Paths that an application may read as others than they seem: escaped slashes, and dots that Envoy leaves standing. They
 * are never public. A regular expression of RE2, for the whole path.
 */
export const OBSCURE_PATH = String.raw`(?i).*(%2f|%5c|%2e|\\|\.\.|;).*`;
