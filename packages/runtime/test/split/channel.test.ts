import assert from 'node:assert/strict';
import { duplexPair } from 'node:stream';
import test from 'node:test';
import { Channel, type Handlers } from '../../src/split/channel.ts';

function createChannels(near: Handlers, far: Handlers): [Channel, Channel] {
  const [nearEnd, farEnd] = duplexPair();
  return [new Channel(nearEnd, near), new Channel(farEnd, far)];
}

test('both processes call methods of each other, with a JSON value and bytes', async () => {
  const [near, far] = createChannels(
    { double: ({ value }) => (value as number) * 2 },
    { reverse: ({ bytes }) => bytes.toReversed() },
  );
  assert.equal((await far.call('double', 21)).value, 42);
  assert.deepEqual([...(await near.call('reverse', null, Uint8Array.of(1, 2, 3))).bytes], [3, 2, 1]);
});

test('a long frame arrives whole', async () => {
  const [near] = createChannels({}, { length: ({ bytes }) => bytes.length });
  assert.equal((await near.call('length', null, Buffer.alloc(5 << 20))).value, 5 << 20);
});

test('an error of the peer rejects the call with its message, code and fate', async () => {
  const [near] = createChannels(
    {},
    {
      fail: () => {
        throw Object.assign(new Error('no room'), { code: 'ERR_FULL', fate: 'retriable' });
      },
    },
  );
  await assert.rejects(near.call('fail'), { message: 'no room', code: 'ERR_FULL', fate: 'retriable' });
  await assert.rejects(near.call('toString'), /unknown method toString/);
});

for (const { description, frame } of [
  { description: 'a frame that is too long', frame: Buffer.from([0xff, 0xff, 0xff, 0x7f, 0, 0, 0, 0]) },
  { description: 'a head that is no JSON', frame: Buffer.from([5, 0, 0, 0, 1, 0, 0, 0, 0x7b]) },
  { description: 'a head without an id', frame: Buffer.from([6, 0, 0, 0, 2, 0, 0, 0, 0x7b, 0x7d]) },
])
  test(`${description} ends the channel and rejects pending calls`, async () => {
    const [near, far] = duplexPair();
    const channel = new Channel(near, {});
    const pending = channel.call('unanswered');
    far.write(frame);
    await assert.rejects(pending, /invalid frame/);
    await assert.rejects(channel.ended, /invalid frame/);
    await assert.rejects(channel.call('later'), /invalid frame/);
  });

for (const failure of ['null', '{}', '{"message":{"toString":1}}'])
  test(`an answer with the failure ${failure} is an invalid frame, and its call is not forgotten`, async () => {
    const [near, far] = duplexPair();
    const channel = new Channel(near, {});
    const pending = channel.call('unanswered');
    const json = Buffer.from(`{"id":1,"failure":${failure}}`);
    const lengths = Buffer.alloc(8);
    lengths.writeUInt32LE(4 + json.length, 0);
    lengths.writeUInt32LE(json.length, 4);
    far.write(Buffer.concat([lengths, json]));
    await assert.rejects(pending, /invalid frame/);
  });

test('the end of the peer rejects pending calls', async () => {
  const [near, far] = duplexPair();
  const channel = new Channel(near, {});
  const pending = channel.call('unanswered');
  near.destroy();
  far.destroy();
  await assert.rejects(pending, /the other process of this ringfence has ended/);
});
