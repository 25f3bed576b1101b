import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { insertionOrder, newestOfEach } from '../../src/kernels/debian.ts';

describe('kernels of the archive', () => {
  test('the newest kernel of each series is selected, by number and not by letter', () => {
    const all = ['6.12.100+deb12', '6.1.0-9', '6.12.99+deb12', '6.1.0-56'].map((release) => ({
      release,
      series: release.split('.').slice(0, 2).join('.'),
    }));
    assert.deepEqual(
      newestOfEach(all).map(({ release }) => release),
      ['6.1.0-56', '6.12.100+deb12'],
    );
  });

  test('modules are inserted after their dependencies, each once, and built-in ones are left out', () => {
    const dependencies = [
      'kernel/drivers/virtio/virtio.ko:',
      'kernel/drivers/virtio/virtio_ring.ko: kernel/drivers/virtio/virtio.ko',
      'kernel/drivers/virtio/virtio_pci.ko: kernel/drivers/virtio/virtio_ring.ko kernel/drivers/virtio/virtio.ko',
      'kernel/drivers/block/virtio-blk.ko.xz: kernel/drivers/virtio/virtio_ring.ko kernel/drivers/virtio/virtio.ko',
    ].join('\n');
    assert.deepEqual(insertionOrder(dependencies, ['virtio_pci', 'virtio_blk', 'ext4']), [
      'kernel/drivers/virtio/virtio.ko',
      'kernel/drivers/virtio/virtio_ring.ko',
      'kernel/drivers/virtio/virtio_pci.ko',
      'kernel/drivers/block/virtio-blk.ko.xz',
    ]);
  });
});
