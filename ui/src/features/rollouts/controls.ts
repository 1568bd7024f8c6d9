/** The popovers of a rollout, and the search of their list, that actions reach. */

export const rolloutControls = {
  export: Symbol('export'),
  importApproval: Symbol('importApproval'),
  requestApproval: Symbol('requestApproval'),
  search: Symbol('search'),
  stop: Symbol('stop'),
};
