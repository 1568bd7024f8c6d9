import '@fontsource-variable/inter';
import '@fontsource-variable/jetbrains-mono';
import './styles/tokens.css';
import './styles/base.css';
import './styles/state.css';
import './styles/controls.css';
import './styles/frame.css';
import './styles/grid.css';
import './styles/ladder.css';

import { mount } from 'svelte';

import AppView from './App.svelte';
import type { Backend } from './backend/backend';
import { App } from './app';

async function backend(): Promise<Backend> {
  if ('__TAURI_INTERNALS__' in window) return (await import('./backend/tauri')).tauri;
  const { fakeBackend } = await import('./backend/fake');
  const parameters = new URLSearchParams(window.location.search);
  const devices = Number(parameters.get('devices'));
  return fakeBackend({ chatter: true, lamp: parameters.has('lamp'), ...(devices > 0 && { devices }) });
}

const target = document.getElementById('app');
if (target) mount(AppView, { target, props: { app: new App(await backend()) } });
