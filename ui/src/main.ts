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
import { App } from './state/app.svelte';

async function backend(): Promise<Backend> {
  if ('__TAURI_INTERNALS__' in window) return (await import('./backend/tauri')).tauri;
  const { Fake } = await import('./backend/fake');
  const devices = Number(new URLSearchParams(window.location.search).get('devices'));
  return new Fake({ chatter: true, ...(devices > 0 && { devices }) });
}

const target = document.getElementById('app');
if (target) mount(AppView, { target, props: { app: new App(await backend()) } });
