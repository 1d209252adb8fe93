/** UTC as `YYYYMMDD_HHMMSS_mmm`: what `${oc.timestring:}` tells of `milliseconds` since 1970. */
export const timestring = (milliseconds: number): string =>
  new Date(milliseconds).toISOString().replace(/[-:]/g, "").replace("T", "_").replace(".", "_").replace("Z", "")
