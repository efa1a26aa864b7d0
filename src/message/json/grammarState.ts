/**
 * What the grammar of JSON allows next (RFC 8259, section 2). The states after `NOTHING` are for tokens that continue
 * in the next piece.
 */
export const VALUE = 0
export const FIRST_ELEMENT = 1
export const FIRST_NAME = 2
export const NEXT_NAME = 3
export const AFTER_NAME = 4
export const AFTER_VALUE = 5
export const NOTHING = 6
export const REST_OF_NAME = 7
export const REST_OF_LONG_NAME = 8
export const REST_OF_STRING = 9
export const REST_OF_NUMBER = 10
