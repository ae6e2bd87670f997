// What the browser asks about before it closes or reloads this tab: anything that is only here.

const holders = new Set<string>();

function ask(event: BeforeUnloadEvent): void {
  event.preventDefault();
}

/** Have the browser ask while `holds`, for the one that is called `holder`. */
export function holdTab(holder: string, holds: boolean): void {
  if (holds) holders.add(holder);
  else holders.delete(holder);
  if (holders.size > 0) window.addEventListener("beforeunload", ask);
  else window.removeEventListener("beforeunload", ask);
}
