import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import {
  type ArchivedRecord,
  type ArchiveObject,
  archiveObjectKey,
  decodeArchiveLines,
  encodeArchiveLines,
} from '../core/archive-object.ts';
import { InvariantError } from '../core/errors.ts';

/** Of flights as small as gzip's best, in a third of its time: bench/RESULTS.md. */
const LEVEL = 6;

const PARAMETERS = {
  [constants.ZSTD_c_compressionLevel]: LEVEL,
  [constants.ZSTD_c_checksumFlag]: 1,
} as const;

/** The bytes of an object: one Zstandard frame of lines, with a check sum. The same records give the same. */
export function packArchive(shard: number, records: readonly ArchivedRecord[]): Uint8Array {
  return zstdCompressSync(encodeArchiveLines(shard, records), { params: PARAMETERS });
}

/** @throws InvariantError when the bytes are not those of the object */
export function unpackArchive(object: ArchiveObject, bytes: Uint8Array): readonly ArchivedRecord[] {
  return decodeArchiveLines(object, decompress(object, bytes));
}

function decompress(object: ArchiveObject, bytes: Uint8Array): Uint8Array {
  try {
    return zstdDecompressSync(bytes);
  } catch (cause) {
    throw new InvariantError(
      `archive object ${archiveObjectKey(object)}: got ${bytes.length} bytes that don't decompress, expected a whole Zstandard frame; restore an earlier version of it`,
      { cause },
    );
  }
}
