/** Layouts and enumerations of the sensor's records, generated from bpf/ringfence.h. */
export * as records from './generated/records.generated.ts';
