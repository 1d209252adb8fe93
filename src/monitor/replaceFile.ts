/** Files that are written whole. */
import * as fs from "node:fs/promises"

/** Writes to a temporary name and renames, so that readers see the old or the new bytes; a failure leaves nothing behind. */
export const replaceFile = async (file: string, content: string | Uint8Array): Promise<void> => {
  const temporary = `${file}.${process.pid}.tmp`
  try {
    await fs.writeFile(temporary, content)
    await fs.rename(temporary, file)
  } catch (error) {
    await fs.rm(temporary, { force: true }).catch(() => {})
    throw error
  }
}
