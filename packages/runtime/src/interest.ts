import type { Control } from '@ringfence/control/port';
import type { Interest } from '@ringfence/interest';

/** What the rules can match goes to the sensor of this process, from whichever of the two comes last. */
export class InterestLink {
  #control: Control | undefined;
  #interest: Interest | undefined;

  /** what is known by now */
  get current(): Interest | undefined {
    return this.#interest;
  }

  async connect(control: Control): Promise<void> {
    this.#control = control;
    if (this.#interest !== undefined) await control.setInterest(this.#interest);
  }

  readonly set = async (interest: Interest): Promise<void> => {
    this.#interest = interest;
    await this.#control?.setInterest(interest);
  };
}
