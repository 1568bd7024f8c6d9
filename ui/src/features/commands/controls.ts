/** The popovers and buttons of the command catalogue that actions reach. */

export const catalogueControls = { describe: Symbol('describe'), export: Symbol('export'), import: Symbol('import') };
