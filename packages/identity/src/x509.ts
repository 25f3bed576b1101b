// The library declares its ASN.1 types with decorators, which need this polyfill loaded first.
import 'reflect-metadata';

export * from '@peculiar/x509';
