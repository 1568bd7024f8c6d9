/** The popovers of the settings that actions reach. */

export const settingsControls = { clearHistory: Symbol('clearHistory') };
