// Generated from bpf/ringfence.h and packages/wire/avro/event.avsc by `npm run check -- --fix`: edit these, not this file.

import type { AvroWriter } from '@ringfence/wire';
import { addressBytes, signedMicros, writeText } from './write-field.ts';

/** Bytes of the fixed part of a record, by enum rf_kind; 0 for unknown kinds. */
export const FIXED_BYTES: Int32Array = Int32Array.of(0, 112, 352, 80, 192, 152, 128, 104, 160, 128, 120, 88, 88, 104, 232, 72, 128, 96, 120, 96, 152, 120, 144, 120, 128, 112, 80, 72, 128, 88, 144, 120);

/** Offsets of the text descriptors of a record, by enum rf_kind. */
export const TEXTS: readonly (readonly number[])[] = [[], [], [268, 280, 292, 304, 316, 328, 340], [], [168, 180], [80, 100, 120], [84], [], [96, 108, 136, 148], [72, 84, 96, 108], [104], [], [], [], [], [], [88, 100, 112], [76], [92, 104], [56, 68, 80], [104, 116, 136], [104], [120], [104], [], [64, 76, 88, 100], [64], [60], [92, 104, 116], [64, 76], [104, 116, 128], []];

function writeNamespaces(out: AvroWriter, view: DataView, bytes: Buffer, at: number): void {
  out.long(view.getUint32(at, true));
  out.long(view.getUint32(at + 4, true));
  out.long(view.getUint32(at + 8, true));
  out.long(view.getUint32(at + 12, true));
  out.long(view.getUint32(at + 16, true));
  out.long(view.getUint32(at + 20, true));
  out.long(view.getUint32(at + 24, true));
  out.long(view.getInt32(at + 28, true));
}

function writeCredentials(out: AvroWriter, view: DataView, bytes: Buffer, at: number): void {
  out.long(view.getUint32(at, true));
  out.long(view.getUint32(at + 4, true));
  out.long(view.getUint32(at + 8, true));
  out.long(view.getUint32(at + 12, true));
  out.long(view.getUint32(at + 16, true));
  out.long(view.getUint32(at + 20, true));
  out.long(view.getUint32(at + 24, true));
  out.long(view.getUint32(at + 28, true));
  out.fixed(bytes, at + 32, 8);
  out.fixed(bytes, at + 40, 8);
  out.fixed(bytes, at + 48, 8);
}

function writeFork(out: AvroWriter, view: DataView, bytes: Buffer, at: number): void {
  out.ensure(126);
  out.long(0);
  out.long(view.getInt32(at + 64, true));
  out.fixed(bytes, at + 56, 8);
  writeNamespaces(out, view, bytes, at + 72);
  out.fixed(bytes, at + 104, 8);
  out.long(view.getInt32(at + 68, true));
}

function writeExec(out: AvroWriter, view: DataView, bytes: Buffer, at: number): void {
  out.ensure(331);
  out.long(1);
  out.boolean(view.getUint32(at + 236, true) !== 0);
  out.long(view.getInt32(at + 200, true));
  out.fixed(bytes, at + 56, 8);
  out.fixed(bytes, at + 64, 8);
  out.long(view.getUint32(at + 204, true));
  out.long(signedMicros(view.getUint32(at + 72, true), view.getUint32(at + 76, true)));
  out.long(signedMicros(view.getUint32(at + 80, true), view.getUint32(at + 84, true)));
  out.long(view.getInt32(at + 212, true));
  out.long(view.getUint32(at + 216, true));
  out.long(view.getInt32(at + 208, true));
  writeCredentials(out, view, bytes, at + 112);
  writeNamespaces(out, view, bytes, at + 168);
  out.long(view.getUint32(at + 220, true));
  out.long(view.getUint32(at + 224, true));
  out.long(view.getUint32(at + 228, true));
  out.long(view.getInt32(at + 232, true));
  out.long(view.getInt32(at + 240, true));
  writeText(out, view, bytes, at, at + 268);
  writeText(out, view, bytes, at, at + 280);
  writeText(out, view, bytes, at, at + 292);
  writeText(out, view, bytes, at, at + 304);
  writeText(out, view, bytes, at, at + 316);
  writeText(out, view, bytes, at, at + 328);
  writeText(out, view, bytes, at, at + 340);
  out.ensure(76);
  out.fixed(bytes, at + 88, 8);
  out.long(view.getUint32(at + 244, true));
  out.long(signedMicros(view.getUint32(at + 96, true), view.getUint32(at + 100, true)));
  out.long(view.getUint32(at + 248, true));
  out.long(view.getUint32(at + 252, true));
  out.fixed(bytes, at + 104, 8);
  out.long(view.getUint32(at + 256, true));
  out.long(view.getUint32(at + 260, true));
}

function writeExit(out: AvroWriter, view: DataView, bytes: Buffer, at: number): void {
  out.ensure(41);
  out.long(2);
  out.long(view.getInt32(at + 64, true));
  out.long(view.getInt32(at + 68, true));
  out.boolean(view.getUint32(at + 72, true) !== 0);
  out.long(signedMicros(view.getUint32(at + 56, true), view.getUint32(at + 60, true)));
}

function writeCredentialsChange(out: AvroWriter, view: DataView, bytes: Buffer, at: number): void {
  out.ensure(218);
  out.long(3);
  writeCredentials(out, view, bytes, at + 56);
  writeCredentials(out, view, bytes, at + 112);
  writeText(out, view, bytes, at, at + 168);
  writeText(out, view, bytes, at, at + 180);
}

function writeOpen(out: AvroWriter, view: DataView, bytes: Buffer, at: number): void {
  out.ensure(59);
  out.long(4);
  out.fixed(bytes, at + 56, 8);
  out.long(view.getUint32(at + 64, true));
  out.long(view.getInt32(at + 68, true));
  out.long(view.getInt32(at + 72, true));
  out.long(view.getInt32(at + 76, true));
  out.boolean(view.getUint32(at + 92, true) !== 0);
  writeText(out, view, bytes, at, at + 80);
  out.ensure(10);
  out.long(view.getInt32(at + 96, true));
  writeText(out, view, bytes, at, at + 100);
  out.ensure(2);
  out.boolean(view.getUint32(at + 112, true) !== 0);
  out.boolean(view.getUint32(at + 116, true) !== 0);
  writeText(out, view, bytes, at, at + 120);
  out.ensure(28);
  out.fixed(bytes, at + 136, 8);
  out.long(view.getUint32(at + 144, true));
  out.long(view.getUint32(at + 132, true));
}

function writeConnect(out: AvroWriter, view: DataView, bytes: Buffer, at: number): void {
  out.ensure(40);
  out.long(5);
  out.long(view.getUint16(at + 56, true));
  out.long(view.getUint16(at + 58, true));
  out.long(view.getUint16(at + 60, true));
  out.bytes(bytes, at + 64, addressBytes(view.getUint16(at + 56, true)));
  out.ensure(20);
  out.long(view.getUint16(at + 62, true));
  out.long(view.getInt32(at + 80, true));
  writeText(out, view, bytes, at, at + 84);
  out.bytes(bytes, at + 104, view.getUint16(at + 98, true) === 0 ? 0 : addressBytes(view.getUint16(at + 56, true)));
  out.ensure(31);
  out.long(view.getUint16(at + 98, true));
  out.boolean(view.getUint16(at + 96, true) !== 0);
  out.long(signedMicros(view.getUint32(at + 120, true), view.getUint32(at + 124, true)));
  out.long(view.getInt32(at + 100, true));
}

function writeAccept(out: AvroWriter, view: DataView, bytes: Buffer, at: number): void {
  out.ensure(40);
  out.long(13);
  out.long(view.getUint16(at + 56, true));
  out.long(view.getUint16(at + 58, true));
  out.long(view.getUint16(at + 60, true));
  out.bytes(bytes, at + 64, addressBytes(view.getUint16(at + 56, true)));
  out.ensure(10);
  out.long(view.getUint16(at + 62, true));
  out.bytes(bytes, at + 80, view.getUint16(at + 96, true) === 0 ? 0 : addressBytes(view.getUint16(at + 56, true)));
  out.ensure(20);
  out.long(view.getUint16(at + 96, true));
  out.long(view.getInt32(at + 100, true));
}

function writeFileChange(out: AvroWriter, view: DataView, bytes: Buffer, at: number): void {
  out.ensure(89);
  out.long(14);
  out.fixed(bytes, at + 56, 8);
  out.long(view.getUint32(at + 64, true));
  out.long(view.getInt32(at + 68, true));
  out.long(view.getInt32(at + 72, true));
  out.long(view.getInt32(at + 76, true));
  out.long(view.getUint32(at + 80, true));
  out.long(view.getUint32(at + 84, true));
  out.long(view.getUint32(at + 88, true));
  out.boolean(view.getUint32(at + 92, true) !== 0);
  writeText(out, view, bytes, at, at + 96);
  writeText(out, view, bytes, at, at + 108);
  out.ensure(18);
  out.fixed(bytes, at + 120, 8);
  out.long(view.getUint32(at + 128, true));
  writeText(out, view, bytes, at, at + 136);
  writeText(out, view, bytes, at, at + 148);
}

function writeMountChange(out: AvroWriter, view: DataView, bytes: Buffer, at: number): void {
  out.ensure(41);
  out.long(15);
  out.long(view.getInt32(at + 56, true));
  out.long(view.getInt32(at + 60, true));
  out.long(view.getUint32(at + 64, true));
  out.boolean(view.getUint32(at + 68, true) !== 0);
  writeText(out, view, bytes, at, at + 72);
  writeText(out, view, bytes, at, at + 84);
  writeText(out, view, bytes, at, at + 96);
  writeText(out, view, bytes, at, at + 108);
  out.ensure(20);
  out.long(view.getUint32(at + 120, true));
  out.long(view.getUint32(at + 124, true));
}

function writeMemory(out: AvroWriter, view: DataView, bytes: Buffer, at: number): void {
  out.ensure(85);
  out.long(16);
  out.fixed(bytes, at + 56, 8);
  out.fixed(bytes, at + 64, 8);
  out.fixed(bytes, at + 72, 8);
  out.long(view.getUint32(at + 80, true));
  out.long(view.getInt32(at + 84, true));
  out.long(view.getInt32(at + 88, true));
  out.long(view.getInt32(at + 92, true));
  out.long(view.getUint32(at + 96, true));
  out.boolean(view.getUint32(at + 100, true) !== 0);
  writeText(out, view, bytes, at, at + 104);
  out.ensure(10);
  out.long(view.getInt32(at + 116, true));
}

function writeSignal(out: AvroWriter, view: DataView, bytes: Buffer, at: number): void {
  out.ensure(78);
  out.long(17);
  out.fixed(bytes, at + 56, 8);
  out.long(view.getInt32(at + 64, true));
  out.long(view.getUint32(at + 68, true));
  out.long(view.getInt32(at + 72, true));
  out.long(view.getInt32(at + 76, true));
  out.long(view.getInt32(at + 80, true));
  out.long(view.getInt32(at + 84, true));
}

function writeFault(out: AvroWriter, view: DataView, bytes: Buffer, at: number): void {
  out.ensure(66);
  out.long(18);
  out.fixed(bytes, at + 56, 8);
  out.fixed(bytes, at + 64, 8);
  out.long(view.getInt32(at + 72, true));
  out.long(view.getInt32(at + 76, true));
  out.long(view.getInt32(at + 80, true));
  out.long(view.getInt32(at + 84, true));
}

function writeProcessAccess(out: AvroWriter, view: DataView, bytes: Buffer, at: number): void {
  out.ensure(84);
  out.long(19);
  out.fixed(bytes, at + 56, 8);
  out.fixed(bytes, at + 64, 8);
  out.fixed(bytes, at + 72, 8);
  out.long(view.getInt32(at + 80, true));
  out.long(view.getInt32(at + 84, true));
  out.long(view.getUint32(at + 88, true));
  out.long(view.getInt32(at + 92, true));
  out.long(view.getInt32(at + 96, true));
}

function writeIsolation(out: AvroWriter, view: DataView, bytes: Buffer, at: number): void {
  out.ensure(344);
  out.long(20);
  out.fixed(bytes, at + 56, 8);
  out.fixed(bytes, at + 64, 8);
  writeNamespaces(out, view, bytes, at + 72);
  out.long(view.getInt32(at + 216, true));
  out.long(view.getInt32(at + 220, true));
  out.long(view.getInt32(at + 224, true));
  writeCredentials(out, view, bytes, at + 104);
  writeCredentials(out, view, bytes, at + 160);
}

function writeCapability(out: AvroWriter, view: DataView, bytes: Buffer, at: number): void {
  out.ensure(50);
  out.long(21);
  out.long(view.getInt32(at + 56, true));
  out.long(view.getInt32(at + 60, true));
  out.long(view.getUint32(at + 64, true));
  out.long(view.getInt32(at + 68, true));
}

function writeModule(out: AvroWriter, view: DataView, bytes: Buffer, at: number): void {
  out.ensure(69);
  out.long(22);
  out.fixed(bytes, at + 56, 8);
  out.long(view.getUint32(at + 64, true));
  out.long(view.getInt32(at + 68, true));
  out.long(view.getInt32(at + 72, true));
  out.long(view.getUint32(at + 76, true));
  out.boolean(view.getUint32(at + 80, true) !== 0);
  out.long(view.getUint32(at + 84, true));
  writeText(out, view, bytes, at, at + 88);
  writeText(out, view, bytes, at, at + 100);
  writeText(out, view, bytes, at, at + 112);
  out.ensure(10);
  out.long(view.getInt32(at + 124, true));
}

function writeBpf(out: AvroWriter, view: DataView, bytes: Buffer, at: number): void {
  out.ensure(51);
  out.long(23);
  out.long(view.getInt32(at + 56, true));
  out.long(view.getInt32(at + 60, true));
  out.long(view.getInt32(at + 64, true));
  out.long(view.getInt32(at + 68, true));
  out.boolean(view.getUint32(at + 72, true) !== 0);
  writeText(out, view, bytes, at, at + 76);
  out.ensure(20);
  out.long(view.getUint32(at + 88, true));
  out.long(view.getUint32(at + 92, true));
}

function writeSystemChange(out: AvroWriter, view: DataView, bytes: Buffer, at: number): void {
  out.ensure(55);
  out.long(24);
  out.fixed(bytes, at + 56, 8);
  out.fixed(bytes, at + 64, 8);
  out.fixed(bytes, at + 72, 8);
  out.long(view.getInt32(at + 80, true));
  out.long(view.getInt32(at + 84, true));
  out.boolean(view.getUint32(at + 88, true) !== 0);
  writeText(out, view, bytes, at, at + 92);
  writeText(out, view, bytes, at, at + 104);
}

function writeSysctl(out: AvroWriter, view: DataView, bytes: Buffer, at: number): void {
  out.ensure(10);
  out.long(25);
  writeText(out, view, bytes, at, at + 56);
  writeText(out, view, bytes, at, at + 68);
  writeText(out, view, bytes, at, at + 80);
}

function writeIoUring(out: AvroWriter, view: DataView, bytes: Buffer, at: number): void {
  out.ensure(79);
  out.long(26);
  out.fixed(bytes, at + 56, 8);
  out.long(view.getUint32(at + 64, true));
  out.long(view.getInt32(at + 68, true));
  out.long(view.getUint32(at + 72, true));
  out.long(view.getInt32(at + 76, true));
  out.boolean(view.getUint32(at + 80, true) !== 0);
  out.long(view.getUint16(at + 84, true));
  out.long(view.getUint16(at + 86, true));
  out.bytes(bytes, at + 88, addressBytes(view.getUint16(at + 84, true)));
  writeText(out, view, bytes, at, at + 104);
  writeText(out, view, bytes, at, at + 116);
  out.ensure(2);
  out.boolean(view.getUint32(at + 128, true) !== 0);
  out.boolean(view.getUint32(at + 132, true) !== 0);
  writeText(out, view, bytes, at, at + 136);
}

function writeSocket(out: AvroWriter, view: DataView, bytes: Buffer, at: number): void {
  out.ensure(40);
  out.long(27);
  out.long(view.getUint16(at + 56, true));
  out.long(view.getUint16(at + 58, true));
  out.long(view.getUint32(at + 60, true));
  out.bytes(bytes, at + 64, addressBytes(view.getUint16(at + 56, true)));
  out.ensure(51);
  out.long(view.getUint32(at + 80, true));
  out.long(view.getUint32(at + 84, true));
  out.long(view.getInt32(at + 88, true));
  out.long(view.getInt32(at + 92, true));
  out.long(view.getInt32(at + 96, true));
  out.boolean(view.getUint32(at + 100, true) !== 0);
  writeText(out, view, bytes, at, at + 104);
}

function writeDatagram(out: AvroWriter, view: DataView, bytes: Buffer, at: number): void {
  out.ensure(66);
  out.long(28);
  out.fixed(bytes, at + 56, 8);
  out.fixed(bytes, at + 64, 8);
  out.long(view.getUint16(at + 72, true));
  out.long(view.getUint16(at + 74, true));
  out.long(view.getUint16(at + 76, true));
  out.long(view.getUint16(at + 78, true));
  out.bytes(bytes, at + 80, addressBytes(view.getUint16(at + 72, true)));
  out.bytes(bytes, at + 96, view.getUint16(at + 78, true) === 0 ? 0 : addressBytes(view.getUint16(at + 72, true)));
  out.ensure(20);
  out.long(view.getInt32(at + 112, true));
  out.long(view.getInt32(at + 116, true));
  writeText(out, view, bytes, at, at + 120);
  out.ensure(2);
  out.boolean(view.getUint32(at + 132, true) !== 0);
  out.boolean(view.getUint32(at + 136, true) !== 0);
}

function writePacket(out: AvroWriter, view: DataView, bytes: Buffer, at: number): void {
  out.ensure(50);
  out.long(29);
  out.long(view.getUint16(at + 56, true));
  out.long(view.getUint16(at + 58, true));
  out.long(view.getUint16(at + 60, true));
  out.long(view.getUint16(at + 62, true));
  out.bytes(bytes, at + 64, addressBytes(view.getUint16(at + 56, true)));
  out.bytes(bytes, at + 80, view.getUint16(at + 62, true) === 0 ? 0 : addressBytes(view.getUint16(at + 56, true)));
  out.ensure(11);
  out.long(view.getInt32(at + 96, true));
  out.boolean(view.getUint32(at + 100, true) !== 0);
  writeText(out, view, bytes, at, at + 104);
}

function writeFlow(out: AvroWriter, view: DataView, bytes: Buffer, at: number): void {
  out.ensure(76);
  out.long(30);
  out.long(signedMicros(view.getUint32(at + 56, true), view.getUint32(at + 60, true)));
  out.fixed(bytes, at + 64, 8);
  out.fixed(bytes, at + 72, 8);
  out.long(view.getUint16(at + 80, true));
  out.long(view.getUint16(at + 82, true));
  out.long(view.getUint16(at + 84, true));
  out.long(view.getUint16(at + 86, true));
  out.bytes(bytes, at + 88, addressBytes(view.getUint16(at + 80, true)));
  out.bytes(bytes, at + 104, view.getUint16(at + 86, true) === 0 ? 0 : addressBytes(view.getUint16(at + 80, true)));
  out.ensure(11);
  out.boolean(view.getUint32(at + 120, true) !== 0);
  out.long(view.getInt32(at + 124, true));
}

function writeAuthentication(out: AvroWriter, view: DataView, bytes: Buffer, at: number): void {
  out.ensure(21);
  out.long(32);
  out.long(view.getInt32(at + 56, true));
  out.boolean(view.getUint32(at + 60, true) !== 0);
  writeText(out, view, bytes, at, at + 64);
  writeText(out, view, bytes, at, at + 76);
  writeText(out, view, bytes, at, at + 88);
  writeText(out, view, bytes, at, at + 100);
}

function writeShellLine(out: AvroWriter, view: DataView, bytes: Buffer, at: number): void {
  out.ensure(21);
  out.long(33);
  out.long(view.getUint32(at + 56, true));
  out.boolean(view.getUint32(at + 60, true) !== 0);
  writeText(out, view, bytes, at, at + 64);
}

function writeTlsData(out: AvroWriter, view: DataView, bytes: Buffer, at: number): void {
  out.ensure(11);
  out.long(34);
  out.boolean(view.getUint32(at + 56, true) !== 0);
  writeText(out, view, bytes, at, at + 60);
}

function writeTampering(out: AvroWriter, view: DataView, bytes: Buffer, at: number): void {
  out.ensure(88);
  out.long(37);
  out.fixed(bytes, at + 56, 8);
  out.long(view.getInt32(at + 64, true));
  out.long(view.getInt32(at + 68, true));
  out.long(view.getUint32(at + 72, true));
  out.long(view.getUint32(at + 76, true));
  out.long(view.getInt32(at + 80, true));
  out.long(view.getUint32(at + 84, true));
  out.long(view.getInt32(at + 88, true));
  writeText(out, view, bytes, at, at + 92);
  writeText(out, view, bytes, at, at + 104);
  writeText(out, view, bytes, at, at + 116);
}

function writeProbe(out: AvroWriter, view: DataView, bytes: Buffer, at: number): void {
  out.ensure(21);
  out.long(38);
  out.long(view.getInt32(at + 56, true));
  out.boolean(view.getUint32(at + 60, true) !== 0);
  writeText(out, view, bytes, at, at + 64);
  writeText(out, view, bytes, at, at + 76);
}

function writeAttempt(out: AvroWriter, view: DataView, bytes: Buffer, at: number): void {
  out.ensure(76);
  out.long(40);
  out.fixed(bytes, at + 56, 8);
  out.fixed(bytes, at + 64, 8);
  out.fixed(bytes, at + 72, 8);
  out.long(view.getInt32(at + 80, true));
  out.long(view.getInt32(at + 84, true));
  out.long(view.getInt32(at + 88, true));
  out.boolean(view.getUint32(at + 92, true) !== 0);
  out.long(view.getInt32(at + 96, true));
  out.boolean(view.getUint32(at + 100, true) !== 0);
  writeText(out, view, bytes, at, at + 104);
  writeText(out, view, bytes, at, at + 116);
  writeText(out, view, bytes, at, at + 128);
}

function writeRedirect(out: AvroWriter, view: DataView, bytes: Buffer, at: number): void {
  out.ensure(50);
  out.long(41);
  out.long(view.getUint16(at + 56, true));
  out.long(view.getUint16(at + 58, true));
  out.long(view.getUint16(at + 60, true));
  out.long(view.getUint16(at + 62, true));
  out.bytes(bytes, at + 64, addressBytes(view.getUint16(at + 56, true)));
  out.bytes(bytes, at + 80, view.getUint16(at + 96, true) === 0 ? 0 : addressBytes(view.getUint16(at + 56, true)));
  out.ensure(62);
  out.long(view.getUint16(at + 96, true));
  out.boolean(view.getUint8(at + 98) !== 0);
  out.boolean(view.getUint8(at + 99) !== 0);
  out.long(view.getUint32(at + 100, true));
  out.long(view.getInt32(at + 104, true));
  out.long(view.getInt32(at + 108, true));
  out.long(view.getInt32(at + 112, true));
  out.long(view.getInt32(at + 116, true));
}

/** Writes the body of a record, whose kind must be known to FIXED_BYTES. */
export function writeBody(kind: number, out: AvroWriter, view: DataView, bytes: Buffer, at: number): void {
  switch (kind) {
    case 1:
      writeFork(out, view, bytes, at);
      break;
    case 2:
      writeExec(out, view, bytes, at);
      break;
    case 3:
      writeExit(out, view, bytes, at);
      break;
    case 4:
      writeCredentialsChange(out, view, bytes, at);
      break;
    case 5:
      writeOpen(out, view, bytes, at);
      break;
    case 6:
      writeConnect(out, view, bytes, at);
      break;
    case 7:
      writeAccept(out, view, bytes, at);
      break;
    case 8:
      writeFileChange(out, view, bytes, at);
      break;
    case 9:
      writeMountChange(out, view, bytes, at);
      break;
    case 10:
      writeMemory(out, view, bytes, at);
      break;
    case 11:
      writeSignal(out, view, bytes, at);
      break;
    case 12:
      writeFault(out, view, bytes, at);
      break;
    case 13:
      writeProcessAccess(out, view, bytes, at);
      break;
    case 14:
      writeIsolation(out, view, bytes, at);
      break;
    case 15:
      writeCapability(out, view, bytes, at);
      break;
    case 16:
      writeModule(out, view, bytes, at);
      break;
    case 17:
      writeBpf(out, view, bytes, at);
      break;
    case 18:
      writeSystemChange(out, view, bytes, at);
      break;
    case 19:
      writeSysctl(out, view, bytes, at);
      break;
    case 20:
      writeIoUring(out, view, bytes, at);
      break;
    case 21:
      writeSocket(out, view, bytes, at);
      break;
    case 22:
      writeDatagram(out, view, bytes, at);
      break;
    case 23:
      writePacket(out, view, bytes, at);
      break;
    case 24:
      writeFlow(out, view, bytes, at);
      break;
    case 25:
      writeAuthentication(out, view, bytes, at);
      break;
    case 26:
      writeShellLine(out, view, bytes, at);
      break;
    case 27:
      writeTlsData(out, view, bytes, at);
      break;
    case 28:
      writeTampering(out, view, bytes, at);
      break;
    case 29:
      writeProbe(out, view, bytes, at);
      break;
    case 30:
      writeAttempt(out, view, bytes, at);
      break;
    case 31:
      writeRedirect(out, view, bytes, at);
      break;
  }
}
