// The library declares its ASN.1 types by decorators and asks for this before it is loaded.
import 'reflect-metadata';

export * from '@peculiar/x509';
