/** The demo can't be played; the message says why and what to do. */
export class DemoError extends Error {
  readonly code = 'ERR_DEMO';

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'DemoError';
  }
}
