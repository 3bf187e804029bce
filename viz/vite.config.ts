import { defineConfig } from "vite";
import { viteSingleFile } from "vite-plugin-singlefile";

/** One HTML file with everything inside; the data is put in by `interleaf export --to html`. */
export default defineConfig({
    plugins: [viteSingleFile({ removeViteModuleLoader: true })],
    build: { target: "es2021", minify: "esbuild", reportCompressedSize: false },
    test: { include: ["tests/unit/**/*.test.ts"] },
} as never);
