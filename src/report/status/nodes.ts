/** How many nodes SLURM's way of writing them names: `gpu07`, `n[1-3,07],x2`. Null for none. */
export const nodeCount = (text: string | null): number | null => {
  if (text === null || text.trim() === "") return null
  const names = text.match(/[^,[\]]*(?:\[[^\]]*\][^,[\]]*)*/g)?.filter((name) => name !== "") ?? []
  return names.reduce(
    (sum, name) =>
      sum + [...name.matchAll(/\[([^\]]*)\]/g)].reduce((product, [, inside = ""]) => product * rangesIn(inside), 1),
    0
  )
}

const rangesIn = (inside: string): number =>
  inside.split(",").reduce((sum, part) => {
    const [from = "", to] = part.split("-")
    return sum + (to === undefined ? 1 : Math.max(1, Number(to) - Number(from) + 1))
  }, 0)
