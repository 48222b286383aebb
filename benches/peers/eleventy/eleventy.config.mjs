export default function (config) {
  config.setUseGitIgnore(false);
  return { templateFormats: ["11ty.js"], dir: { input: "src" } };
}
