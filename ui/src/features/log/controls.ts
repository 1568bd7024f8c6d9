/** The popovers and fields of the log that actions reach. */

export const logControls = { save: Symbol('save'), search: Symbol('search') };
