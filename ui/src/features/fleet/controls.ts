/** The popovers and fields of the fleet that actions reach. */

export const fleetControls = {
  add: Symbol('add'),
  desired: Symbol('desired'),
  export: Symbol('export'),
  import: Symbol('import'),
  list: Symbol('list'),
  search: Symbol('search'),
};

/** Those of the device that is shown. */
export const deviceControls = { forget: Symbol('forget'), identify: Symbol('identify'), restart: Symbol('restart') };
