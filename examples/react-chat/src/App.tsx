import { useSyncExternalStore, type ComponentType } from "react";
import AiSdkAdvanced from "./pages/ai-sdk/Advanced";
import AiSdkMultiAgent from "./pages/ai-sdk/MultiAgent";
import AiSdkSimple from "./pages/ai-sdk/Simple";
import AiSdk4Chat from "./pages/ai-sdk-4/Chat";
import StoreAdvanced from "./pages/store/Advanced";
import StoreMultiAgent from "./pages/store/MultiAgent";
import StoreSimple from "./pages/store/Simple";

const GROUPS: Record<string, Record<string, ComponentType>> = {
  "@ai-sdk/react": {
    "#/ai-sdk/simple": AiSdkSimple,
    "#/ai-sdk/advanced": AiSdkAdvanced,
    "#/ai-sdk/multi-agent": AiSdkMultiAgent,
  },
  "@fondation-io/store": {
    "#/store/simple": StoreSimple,
    "#/store/advanced": StoreAdvanced,
    "#/store/multi-agent": StoreMultiAgent,
  },
  "AI SDK 4": { "#/ai-sdk-4/chat": AiSdk4Chat },
};
const PAGES = Object.assign({}, ...Object.values(GROUPS)) as Record<string, ComponentType>;
const FIRST = "#/ai-sdk/simple";

/** A menu of the pages, and the one that the address names. */
export function App() {
  const hash = useSyncExternalStore(onHashChange, () => location.hash);
  const current = hash in PAGES ? hash : FIRST;
  const Page = PAGES[current]!;
  return (
    <>
      <header>
        <h1>Chat pages</h1>
        <nav aria-label="Pages">
          {Object.entries(GROUPS).map(([title, pages]) => (
            <section key={title}>
              <span>{title}</span>
              {Object.keys(pages).map((page) => (
                <a key={page} href={page} aria-current={page === current ? "page" : undefined}>
                  {page.split("/").at(-1)}
                </a>
              ))}
            </section>
          ))}
        </nav>
      </header>
      <main>
        <Page key={current} />
      </main>
    </>
  );
}

function onHashChange(listener: () => void) {
  window.addEventListener("hashchange", listener);
  return () => window.removeEventListener("hashchange", listener);
}
