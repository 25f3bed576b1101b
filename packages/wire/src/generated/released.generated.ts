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
  // Command of 0.1.0, Command of 0.1.0-2026-11-30, Command of 0.2.0
  ['3eca8b6c156bf0ac', 'f74c05d86200250998e72d547a0b618d2744f133b3cbdb01ad824f4a35436a73'],
  // Result of 0.1.0
  ['76bfe8db4e012b3d', '4ea1a63d5d90020b605a49e10eb4c38914a41678d5846766e73acd1d58b755ac'],
  // AuditRecord of 0.1.0
  ['f4e8905f97f4e3eb', 'b80b5c254b33e0e37032796fbf0d3b49a1b464301baa6108ae7f85bd550af1fc'],
  // DeadLetter of 0.1.0, DeadLetter of 0.1.0-2026-11-30, DeadLetter of 0.2.0
  ['2cb5f681f86b1cf8', 'e66084c24bbe7818819f42d0fa486cbe30c07701d55aef15f253455f3e4f2dd3'],
  // Event of 0.1.0-2026-11-30
  ['a0257f7859eb71fb', '536d9608bd18fad4a47a1c01eaf801767094d7abb40afcf1c26357eb5e8a63ee'],
  // RawBatch of 0.1.0-2026-11-30
  ['c21fd9d57372d2aa', '703202bae8fa94be2029c383e63fa9ad5f22218808e404f66b293c234348faa9'],
  // EventBatch of 0.1.0-2026-11-30
  ['475e600cdb7a4e5c', '54b9f4b67b96463193ddb2d0a3456aa31707a2b8760fd8f908cfde2718f449e2'],
  // Alert of 0.1.0-2026-11-30, Alert of 0.2.0
  ['403d77cffff8873e', '1fb0de22d81bb2cbc5366a0e569e60f6e35fd085830dfbf4b5fc1dc8c71eaa5a'],
  // Incident of 0.1.0-2026-11-30
  ['83ebaa01a3121e49', 'f631adbe982567f8a0ced84c9bf0f7e55ccd411d3234889b6cacc81e4713f550'],
  // Result of 0.1.0-2026-11-30
  ['50b4b43bf2812462', '6b87be03675efad9d85a0838521933500570a421c87e96e2739d2a656fcb1259'],
  // AuditRecord of 0.1.0-2026-11-30, AuditRecord of 0.2.0
  ['742d54022b8c2094', '3745f510cf491b9b9332f5030070e039a63fae57132b88b1917f379ce3a46139'],
  // Edge of 0.1.0-2026-11-30, Edge of 0.2.0
  ['e98178d12bf143f5', '7b0fcfaeec23e190cfc3faa14f158d5c6d3e3cf02147e871d1565a9d419e3960'],
  // Join of 0.1.0-2026-11-30
  ['8d4edfbe3fcef9e8', '69815bcdd2f0629f79251d8c69e3c7621527b7c4c3c7a7265d0f4e2c2458c0a6'],
  // InterestRecord of 0.1.0-2026-11-30
  ['12d291ba0ee25390', 'dfa55ac85055281a5964f4cd8c8d4168ff19e72eee61528c2c5965bd5611602d'],
  // Enrolment of 0.1.0-2026-11-30, Enrolment of 0.2.0
  ['a4aed83843e75079', 'bfe7a502170b9c2de0f92b6b9d14466fea1ea0553cd030cc248efc8598a2b538'],
  // AuditHead of 0.1.0-2026-11-30, AuditHead of 0.2.0
  ['71e337aa430e2322', '34e8a96e3a1843ac884b21f4323998d9b0b68689c19fb64f14d86c12e2fbf9c0'],
  // Feedback of 0.1.0-2026-11-30
  ['f38be6dd32109696', '2176d6fdb9af501f763fe5546475d6e7ce08333939dedf994dc326a001eb7584'],
  // RuleCounts of 0.1.0-2026-11-30, RuleCounts of 0.2.0
  ['01690afd5615e5cd', '17f2b9f9d7d9e8b0885e34503e40110293769efcfd668b984a3099d0a4a97bec'],
  // Event of 0.2.0
  ['96de33db210158cc', 'ec66f4d0eb74604ff932fb0133c5a7049fbe3b1a62ae20b2929b5c79bb47d199'],
  // RawBatch of 0.2.0
  ['27885cb80e9a7139', '4174589914339e1b65fff3cbb1ea57101765df8638abd7751d24f278f0c9675f'],
  // EventBatch of 0.2.0
  ['5845962436a30fad', 'c3007920d3338c85368d1a5c928e257ee45f7adf37c6302fb9e718ff9cc925d9'],
  // Incident of 0.2.0
  ['e9a2fc71e497791c', 'a16310e394be5e1a53794891153ecd44da6e6e4d0c8a546e85333b90eefc830f'],
  // Result of 0.2.0
  ['45288a1e409853b9', '50200d8cd2a55a35c79ec826220ab3e3be2363c7b3012d6e8ea307ae1a677a08'],
  // Join of 0.2.0
  ['9896f21e80d68099', '71f58a426d7d16ba956b0cf5653ec1b56585e5a9a2bf6438ebd9c9bdaffa57fb'],
  // InterestRecord of 0.2.0
  ['20dcb82b2307e863', '1fec85f25cb79189b1535ffbb332d7c7ece7ff477ec6f1b65bbd94dfa71ad0b8'],
  // Standing of 0.2.0
  ['5385a2a71eefc155', '8976c26c56779d1aba6f6f337ae9042e0ef3a6fb899ed4f5e197efad218fd74f'],
  // Feedback of 0.2.0
  ['9d91e37235980ec7', '0b6eb06c6ee7958fb61fca8cdb19740669650d1a7d1b861e1b757fa8bf3a9d8b'],
  // StateHost of 0.2.0
  ['bbc92dcf2a269dca', '3e53a5eb155322cc252169ae7ab71046326cccfb4d4f0112bb6119a65e3fd3ad'],
  // StateChain of 0.2.0
  ['177bfc6560148f68', '94c507129f33c6767a60c331b4b6edd638509a43bf4849605ea4101060bd5d7d'],
  // StateChainCounts of 0.2.0
  ['69f28eb7654f93d7', '5a3b8a2f1406d4a331deaf8881fc1f290b0f62bb0d5d48b09387b5dfdf8f6c00'],
  // StateMemory of 0.2.0
  ['90dd172fe974b0e6', 'abd514f02ccc4a6b775eb5224cf2b48b4ff5203b0670d148bc3e74a045a102b7'],
  // StateRuleMemory of 0.2.0
  ['ee11f0c67c6320ae', 'b46df2f123256002bfa4e8a53822d441cf8e7428d601d6c54a942b35b5d5d5bd'],
  // StateRuleCounts of 0.2.0
  ['7298c41d3de12e41', 'eb9f4a9253fccbe4acd1e8ea420f5385543b30ea32ce6f6f56a40a7bb3d54d89'],
  // StateEdge of 0.2.0
  ['388101b94704d2ec', '97db05fe095b98141d55507f4ab7f1191b3601a40436c2e5e70eefee513393ef'],
  // StateOrder of 0.2.0
  ['229f377e3a50a756', 'be42a45b03973aa4151558c24bf4179e7aff61750121afc6af1778f79f19cbc8'],
  // StateKillLimit of 0.2.0
  ['604d49a5b5597ebb', '31d6671b83a85c5cee14af71c9b4bf0a16367fdb9cc8bbfd107701d2123a93d1'],
  // StateCommand of 0.2.0
  ['7c709fafb5d77fa8', 'db6846ae64f915b3bd9f037c45229b72ace454aa22699b497c06eb0b54257b9d'],
  // StateBoot of 0.2.0
  ['febf3e86b3cf87df', '005b65717a49d0dff472769dbc833acb4279cbbc6f05054c59dfb8c784806851'],
  // StateKnownProcess of 0.2.0
  ['81d583a2a2731164', '96c3529ffff3b2a5b82c529e276431421d4e45c7e0c23ca4ffe29dfadab45c5e'],
  // StateKnownContainer of 0.2.0
  ['749e67200de7b563', 'a2da35149314a0fe2fb3931808ef8fbdf3471c4b729a9d26b0630be8f9d507af'],
  // StateUser of 0.2.0
  ['7047900ebea2ece7', '0a6c935d649d587afd466f105ab367fe0752da6601363b43a690747d0fff891d'],
  // StateFileHash of 0.2.0
  ['12dd06238989da12', '3cfa0ad714916f395b98a48f5561e17c18c84019bbd669700a4dce7002265593'],
  // StateAddressNames of 0.2.0
  ['357dc64cafb1e159', 'b2df504b8e660ab0fca5fbae04302ff1a3cadaf5bb27a71420e464c77d2b888c'],
  // StateWrites of 0.2.0
  ['843be19e3eb28c20', 'f0ad5f084f4dab8c1f194ec081e950808cc0178370244061a309b161288850a2'],
  // StateFilebeatHost of 0.2.0
  ['2c6cc776614709da', 'd685414d3dab3f869a9f67f4e1097d6c4f2dd1ef18099426af6ce62b648847fa'],
  // StateFilebeatFile of 0.2.0
  ['e68212b2e04a871f', '455e0d3f4687ff247db356a6c3a320d6b1420ebe8c7cc1cd9b53a5fc55d2c383'],
]);
