// Generated from packages/wire/history by tools/generate-types.ts: `npm run golden -- --release` adds a release.

/** SHA-256 of the canonical form of each released schema (hex), by its CRC-64-AVRO as in frames (hex). */
export const RELEASED: ReadonlyMap<string, string> = new Map([
  // Event of 0.1.0
  ['6893c2eac7438ef4', 'f870fbd4c2f9d272467e1402581b30d25b97f0bdce328de2ab799ec48160f857'],
  // RawBatch of 0.1.0
  ['2d287be24b2a18fe', '55158a615339ad0b5e0d3db11d3fc3cb930613913e267096316ecc44fbe4c288'],
  // EventBatch of 0.1.0
  ['e945f0ce09a53f20', '59b9f4e4b23632987c497c86f323ef909def6dd17a89a643ce7646dc0c50ae22'],
  // Alert of 0.1.0
  ['8f44f5d479f727f9', 'b298af7fbf84bb88ed4f2db3bfa43e10853648016a677d4f50ba91c942ab5a7a'],
  // Incident of 0.1.0
  ['29ead5013fcc4d7c', '8a100d47cd41b4545b182383e9b2cb45c2eb65ead8cdcebb9631881566f0cd6a'],
  // Command of 0.1.0, Command of 0.1.0-2026-11-30
  ['3eca8b6c156bf0ac', 'f74c05d86200250998e72d547a0b618d2744f133b3cbdb01ad824f4a35436a73'],
  // Result of 0.1.0
  ['76bfe8db4e012b3d', '4ea1a63d5d90020b605a49e10eb4c38914a41678d5846766e73acd1d58b755ac'],
  // AuditRecord of 0.1.0
  ['f4e8905f97f4e3eb', 'b80b5c254b33e0e37032796fbf0d3b49a1b464301baa6108ae7f85bd550af1fc'],
  // DeadLetter of 0.1.0, DeadLetter of 0.1.0-2026-11-30
  ['2cb5f681f86b1cf8', 'e66084c24bbe7818819f42d0fa486cbe30c07701d55aef15f253455f3e4f2dd3'],
  // Event of 0.1.0-2026-11-30
  ['a0257f7859eb71fb', '536d9608bd18fad4a47a1c01eaf801767094d7abb40afcf1c26357eb5e8a63ee'],
  // RawBatch of 0.1.0-2026-11-30
  ['c21fd9d57372d2aa', '703202bae8fa94be2029c383e63fa9ad5f22218808e404f66b293c234348faa9'],
  // EventBatch of 0.1.0-2026-11-30
  ['475e600cdb7a4e5c', '54b9f4b67b96463193ddb2d0a3456aa31707a2b8760fd8f908cfde2718f449e2'],
  // Alert of 0.1.0-2026-11-30
  ['403d77cffff8873e', '1fb0de22d81bb2cbc5366a0e569e60f6e35fd085830dfbf4b5fc1dc8c71eaa5a'],
  // Incident of 0.1.0-2026-11-30
  ['83ebaa01a3121e49', 'f631adbe982567f8a0ced84c9bf0f7e55ccd411d3234889b6cacc81e4713f550'],
  // Result of 0.1.0-2026-11-30
  ['50b4b43bf2812462', '6b87be03675efad9d85a0838521933500570a421c87e96e2739d2a656fcb1259'],
  // AuditRecord of 0.1.0-2026-11-30
  ['742d54022b8c2094', '3745f510cf491b9b9332f5030070e039a63fae57132b88b1917f379ce3a46139'],
  // Edge of 0.1.0-2026-11-30
  ['e98178d12bf143f5', '7b0fcfaeec23e190cfc3faa14f158d5c6d3e3cf02147e871d1565a9d419e3960'],
  // Join of 0.1.0-2026-11-30
  ['8d4edfbe3fcef9e8', '69815bcdd2f0629f79251d8c69e3c7621527b7c4c3c7a7265d0f4e2c2458c0a6'],
  // InterestRecord of 0.1.0-2026-11-30
  ['12d291ba0ee25390', 'dfa55ac85055281a5964f4cd8c8d4168ff19e72eee61528c2c5965bd5611602d'],
  // Enrolment of 0.1.0-2026-11-30
  ['a4aed83843e75079', 'bfe7a502170b9c2de0f92b6b9d14466fea1ea0553cd030cc248efc8598a2b538'],
  // AuditHead of 0.1.0-2026-11-30
  ['71e337aa430e2322', '34e8a96e3a1843ac884b21f4323998d9b0b68689c19fb64f14d86c12e2fbf9c0'],
  // Feedback of 0.1.0-2026-11-30
  ['f38be6dd32109696', '2176d6fdb9af501f763fe5546475d6e7ce08333939dedf994dc326a001eb7584'],
  // RuleCounts of 0.1.0-2026-11-30
  ['01690afd5615e5cd', '17f2b9f9d7d9e8b0885e34503e40110293769efcfd668b984a3099d0a4a97bec'],
]);
