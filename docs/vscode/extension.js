// Starts `envc lsp` for YAML below the open folder, and leaves everything else to it.
const { workspace } = require("vscode");
const { LanguageClient } = require("vscode-languageclient/node");

let client;

exports.activate = () => {
  const command = workspace.getConfiguration("envc").get("path");
  const server = { command, args: ["lsp"] };
  client = new LanguageClient("envc", "envc", { run: server, debug: server }, {
    documentSelector: [{ scheme: "file", language: "yaml" }],
    synchronize: { fileEvents: workspace.createFileSystemWatcher("**/{base,overlays}/**") },
  });
  return client.start();
};

exports.deactivate = () => client && client.stop();
