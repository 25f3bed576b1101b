/** Why a command was not carried out: the closed set that `Result.reason` of a refusal is taken from. */
export const REFUSALS = {
  unreadable: 'the bytes are no Command',
  'unknown-key': 'no trusted key has this id',
  'bad-signature': "the signature is not that key's",
  'not-enforced': 'an observe command is recorded, never carried out',
  'wrong-host': 'it is for another host',
  'wrong-boot': 'the host has started again since',
  'expires-too-late': 'it would stay valid longer than executed commands are remembered',
  'already-executed': 'it was carried out, or its carrying out had begun',
  'rate-limited': 'more kills in a minute than the agent allows',
  protected: 'the process must never be killed',
  'not-the-process': 'the number belongs to another process by now',
  'not-verifiable': 'the start of the process can not be read',
} as const;

export type Refusal = keyof typeof REFUSALS;
