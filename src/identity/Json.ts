export type Json = null | boolean | number | string | ReadonlyArray<Json> | { readonly [member: string]: Json }
