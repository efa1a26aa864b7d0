/** The grant type of assertions (RFC 7523, section 2.1). */
export const assertionGrant = "urn:ietf:params:oauth:grant-type:jwt-bearer"

/** The profile of identity assertions, as the metadata announce it (draft-ietf-oauth-identity-assertion-authz-grant). */
export const assertionProfile = "urn:ietf:params:oauth:grant-profile:id-jag"

/** The type of an identity assertion, in its header. */
export const assertionType = "oauth-id-jag+jwt"
