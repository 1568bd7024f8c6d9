/** The popovers and fields of the history that actions reach. */

export const historyControls = { device: Symbol('device'), export: Symbol('export'), search: Symbol('search') };
