import { type Received, startReceiver } from '../support.ts';

process.env['RF_TEST_SLACK'] = 'xoxb-1';

export interface Message {
  readonly channel: string;
  readonly ts: string;
  readonly thread_ts?: string;
  text: string;
  blocks: readonly { readonly type: string; readonly text: { readonly text: string } }[];
}

export interface SlackServer extends AsyncDisposable {
  readonly messages: Message[];
  readonly url: string;
  /** YAML of a sink that sends here */
  readonly sink: string;
}

/** Slack as far as its published methods go. `failing` answers instead, if it returns an error. */
export async function startSlack(
  failing: (path: string, count: number) => string | undefined = () => undefined,
): Promise<SlackServer> {
  const messages: Message[] = [];
  const answer = ({ path, body, headers }: Received, count: number): Record<string, unknown> => {
    if (headers.authorization !== 'Bearer xoxb-1') return { ok: false, error: 'invalid_auth' };
    const error = failing(path, count);
    if (error !== undefined) return { ok: false, error };
    const message = JSON.parse(body) as Message;
    if (path === '/api/chat.postMessage') {
      messages.push({ ...message, channel: 'C0123', ts: `1700000000.${String(count).padStart(6, '0')}` });
      return { ok: true, ...messages.at(-1) };
    }
    const known = messages.find(({ ts, channel }) => ts === message.ts && channel === message.channel);
    if (known === undefined) return { ok: false, error: 'message_not_found' };
    Object.assign(known, message);
    return { ok: true, ...message };
  };
  const receiver = await startReceiver((request, count) => ({ status: 200, body: answer(request, count) }));
  return {
    messages,
    url: receiver.url,
    sink: `{sink: chat, type: slack, url: '${receiver.url}/api', to: {token: env:RF_TEST_SLACK, channel: '#soc'}}`,
    [Symbol.asyncDispose]: () => receiver[Symbol.asyncDispose](),
  };
}
