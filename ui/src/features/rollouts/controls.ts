/** The popovers of a rollout that actions reach. */

export const rolloutControls = {
  export: Symbol('export'),
  importApproval: Symbol('importApproval'),
  requestApproval: Symbol('requestApproval'),
  stop: Symbol('stop'),
};
