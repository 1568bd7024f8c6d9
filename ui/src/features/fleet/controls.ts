/** The popovers and fields of the fleet that actions reach. */

import { paneControls } from '../../state/lowerPane.svelte';

export const fleetControls = {
  add: Symbol('add'),
  columns: Symbol('columns'),
  desired: Symbol('desired'),
  export: Symbol('export'),
  import: Symbol('import'),
  list: paneControls.list,
  search: Symbol('search'),
  times: Symbol('times'),
  views: Symbol('views'),
};

/** Those of the device that is shown. */
export const deviceControls = { forget: Symbol('forget'), identify: Symbol('identify'), restart: Symbol('restart') };

/** Those of the selected devices. */
export const selectionControls = { forget: Symbol('forget'), tag: Symbol('tag'), untag: Symbol('untag') };
