import type { Control } from '@ringfence/control/port';
import type { Interest } from '@ringfence/interest';

/** Forwards the detector's interest to the collector of this process, whichever of the two starts first. */
export class InterestForwarder {
  #control: Control | undefined;
  #interest: Interest | undefined;

  /** The newest interest; undefined before the detector has sent one. */
  get current(): Interest | undefined {
    return this.#interest;
  }

  async connect(control: Control): Promise<void> {
    this.#control = control;
    if (this.#interest !== undefined) await control.setInterest(this.#interest);
  }

  readonly forward = async (interest: Interest): Promise<void> => {
    this.#interest = interest;
    await this.#control?.setInterest(interest);
  };
}
