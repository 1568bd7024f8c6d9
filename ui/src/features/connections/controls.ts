/** The popovers of connections that actions reach. */

export const connectionControls = { export: Symbol('export'), import: Symbol('import') };

/** Those of each card, by the ID of its connection. */
export const cardControls = { export: Symbol('export'), faults: Symbol('faults'), remove: Symbol('remove') };
