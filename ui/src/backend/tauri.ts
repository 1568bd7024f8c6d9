/** The engine behind the desktop shell. Only this file depends on the shell. */

import { Channel, invoke } from '@tauri-apps/api/core';
import { listen } from '@tauri-apps/api/event';
import { getCurrentWebview } from '@tauri-apps/api/webview';
import { getCurrentWindow } from '@tauri-apps/api/window';
import { open, save } from '@tauri-apps/plugin-dialog';

import { DEFAULT_PREFERENCES, type Backend, type Preferences } from './backend';
import { SIGNATURES, type Calls, type Signature } from './bindings/Calls';
import type { NotificationSubject } from './bindings/NotificationSubject';
import type { RehearsalView } from './bindings/RehearsalView';
import { includeZoom } from './pixelRatio';

/** Makes a call to the engine. */
async function call({ name, parameters, items }: Signature, given: unknown[]): Promise<unknown> {
  const call = { call: name, with: Object.fromEntries(parameters.map((parameter, i) => [parameter, given[i]])) };
  if (items === null) return invoke('call', { call });
  const channel = new Channel(given[parameters.length] as (item: unknown) => void);
  const answer = await invoke('call', { call, items: channel });
  if (items === 'reported') return answer;
  return () => {
    channel.onmessage = () => undefined;
    void invoke('stop_stream', { items: channel.id });
  };
}

const calls = Object.fromEntries(
  Object.entries(SIGNATURES).map(([method, signature]) => [method, (...given: unknown[]) => call(signature, given)]),
) as unknown as Calls;

export const tauri: Backend = {
  ...calls,
  startDemo: () => invoke('start_demo'),
  demoFaults: () => invoke('demo_faults'),
  setDemoFaults: (faults) => invoke('set_demo_faults', { faults }),
  rehearse: (rollout, faults, onChange) =>
    invoke('rehearse', { rollout, faults, items: new Channel<RehearsalView>(onChange) }),
  stopRehearsal: () => invoke('stop_rehearsal'),
  about: () => invoke('about'),
  openDataFolder: () => invoke('open_data_folder'),
  async loadPreferences() {
    return { ...DEFAULT_PREFERENCES, ...(await invoke<Partial<Preferences>>('preferences')) };
  },
  savePreferences: (preferences) => invoke('save_preferences', { preferences }),
  setZoom: (factor) => {
    includeZoom(factor);
    return getCurrentWebview().setZoom(factor);
  },
  chooseFiles: async (title) => (await open({ title, multiple: true, directory: false })) ?? [],
  chooseSavePath: (title, name) => save({ title, defaultPath: name }),
  onNotificationClicked: (callback) => listen<NotificationSubject>('show', ({ payload }) => callback(payload)),
  onFilesDropped: (callback) =>
    getCurrentWebview().onDragDropEvent(({ payload }) => {
      if (payload.type === 'over') return;
      callback.over(payload.type === 'enter');
      if (payload.type === 'drop') callback.drop(payload.paths);
    }),
  onCloseRequested: (callback) =>
    getCurrentWindow().onCloseRequested((event) => {
      event.preventDefault();
      callback();
      // A page that does not confirm this hangs, and its window is closed.
      void invoke('ask_before_closing');
    }),
  showWindow: (background) => invoke('show_window', { background }),
  closeWindow: () => getCurrentWindow().destroy(),
};
