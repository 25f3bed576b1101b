import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { inOrder, newestOfEach } from '../../src/kernels/debian.ts';

describe('kernels of the archive', () => {
  test('of each series the newest is taken, by number and not by letter', () => {
    const all = ['6.12.100+deb12', '6.1.0-9', '6.12.99+deb12', '6.1.0-56'].map((release) => ({
      release,
      series: release.split('.').slice(0, 2).join('.'),
    }));
    assert.deepEqual(
      newestOfEach(all).map(({ release }) => release),
      ['6.1.0-56', '6.12.100+deb12'],
    );
  });

  test('a module comes after those it needs, each once; one that is built in is not there', () => {
    const dependencies = [
      'kernel/drivers/virtio/virtio.ko:',
      'kernel/drivers/virtio/virtio_ring.ko: kernel/drivers/virtio/virtio.ko',
      'kernel/drivers/virtio/virtio_pci.ko: kernel/drivers/virtio/virtio_ring.ko kernel/drivers/virtio/virtio.ko',
      'kernel/drivers/block/virtio-blk.ko.xz: kernel/drivers/virtio/virtio_ring.ko kernel/drivers/virtio/virtio.ko',
    ].join('\n');
    assert.deepEqual(inOrder(dependencies, ['virtio_pci', 'virtio_blk', 'ext4']), [
      'kernel/drivers/virtio/virtio.ko',
      'kernel/drivers/virtio/virtio_ring.ko',
      'kernel/drivers/virtio/virtio_pci.ko',
      'kernel/drivers/block/virtio-blk.ko.xz',
    ]);
  });
});
