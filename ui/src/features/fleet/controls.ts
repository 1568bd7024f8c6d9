/** The popovers and fields of the fleet that actions reach. */

import { paneControls } from '../../state/lowerPane.svelte';

export const fleetControls = {
  add: Symbol('add'),
  desired: Symbol('desired'),
  export: Symbol('export'),
  import: Symbol('import'),
  list: paneControls.list,
  search: Symbol('search'),
};

/** Those of the device that is shown. */
export const deviceControls = { forget: Symbol('forget'), identify: Symbol('identify'), restart: Symbol('restart') };
