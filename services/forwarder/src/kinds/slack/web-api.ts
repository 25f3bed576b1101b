import { SinkRefusedError, SinkUnavailableError } from '../../errors.ts';
import type { HttpClient } from '../../http/http-client.ts';

/** The message itself is wrong. All other errors are of Slack or of the settings, which can be mended. */
const REFUSED: ReadonlySet<string> = new Set([
  'invalid_arguments',
  'invalid_blocks',
  'invalid_blocks_format',
  'msg_blocks_too_long',
  'msg_too_long',
  'no_text',
]);
/** The message can't be changed any more. */
const GONE: ReadonlySet<string> = new Set(['cant_update_message', 'edit_window_closed', 'message_not_found']);

/** What a reference of a message is made of must stay short. */
const CHANNEL = /^[A-Z0-9]{1,50}$/;
const TIME = /^\d{1,20}\.\d{1,20}$/;

/** Identifies a message: its channel's id, and its time there. */
export interface Posted {
  readonly channel: string;
  readonly ts: string;
}

type Body = Readonly<Record<string, unknown>>;

/** The two methods of Slack's Web API that a bot needs. */
export class SlackApi {
  readonly #client: HttpClient;
  readonly #sink: string;

  constructor(client: HttpClient, sink: string) {
    this.#client = client;
    this.#sink = sink;
  }

  async post(body: Body, signal: AbortSignal): Promise<Posted> {
    const { ok, error, channel, ts } = await this.#call('chat.postMessage', body, signal);
    const posted = { channel: String(channel), ts: String(ts) };
    if (ok !== true || !CHANNEL.test(posted.channel) || !TIME.test(posted.ts)) throw this.#failure(error);
    return posted;
  }

  /** Returns false if the message can't be changed any more. */
  async change(body: Body & Posted, signal: AbortSignal): Promise<boolean> {
    const { ok, error } = await this.#call('chat.update', body, signal);
    if (ok === true) return true;
    if (GONE.has(String(error))) return false;
    throw this.#failure(error);
  }

  async #call(method: string, body: Body, signal: AbortSignal): Promise<Record<string, unknown>> {
    const { text } = await this.#client.send({ path: `/${method}`, body: JSON.stringify(body), signal });
    try {
      return Object(JSON.parse(text));
    } catch {
      return {};
    }
  }

  #failure(error: unknown): Error {
    if (typeof error !== 'string') return new SinkUnavailableError(this.#sink, 'what answered is not Slack');
    const reason = error.replaceAll(/[^\w.-]/g, '?').slice(0, 100);
    if (REFUSED.has(reason)) return new SinkRefusedError(this.#sink, `Slack says ${reason}`);
    return new SinkUnavailableError(
      this.#sink,
      `Slack says ${reason}: check the token, the app's scopes and the channel`,
    );
  }
}
