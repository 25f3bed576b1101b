export type DemoErrorCode =
  /** The demo can't be played. Follow the message, which names what is missing. */
  'ERR_DEMO';

/** The demo can't be played; the message says why and what to do. */
export class DemoError extends Error {
  readonly code: DemoErrorCode = 'ERR_DEMO';

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'DemoError';
  }
}
