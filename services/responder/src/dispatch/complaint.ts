/** Says once that something fails, and again only after it went well in between: what is tried every second must not fill the log. */
export class Complaint {
  #said = false;

  well(): void {
    this.#said = false;
  }

  fail(say: () => void): void {
    if (!this.#said) say();
    this.#said = true;
  }
}
