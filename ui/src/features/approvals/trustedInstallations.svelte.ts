import type { Failure } from '../../backend/bindings/Failure';
import type { InstallationIdentity } from '../../backend/bindings/InstallationIdentity';
import type { TrustedView } from '../../backend/bindings/TrustedView';
import type { Backend } from '../../state/backend';
import { failureOf } from '../../state/failure';

/** This installation, and the installations whose approvals count here. */
export class Installations {
  own = $state.raw<InstallationIdentity | null>(null);
  /** Why it has no key to sign with. */
  keyless = $state.raw<Failure | null>(null);
  trusted = $state.raw<TrustedView[]>([]);
  failure = $state.raw<Failure | null>(null);

  constructor(readonly backend: Backend) {
    void this.load();
  }

  async load(): Promise<void> {
    try {
      this.trusted = await this.backend.trustedInstallations();
      this.failure = null;
    } catch (reason) {
      this.failure = failureOf(reason);
    }
    try {
      this.own = await this.backend.identity();
      this.keyless = null;
    } catch (reason) {
      this.keyless = failureOf(reason);
    }
  }

  async trust({ name, public_key: key }: InstallationIdentity): Promise<void> {
    await this.backend.trustInstallation(name, key);
    await this.load();
  }

  async distrust(name: string): Promise<void> {
    try {
      await this.backend.distrustInstallation(name);
    } catch (reason) {
      this.failure = failureOf(reason);
      return;
    }
    await this.load();
  }
}
