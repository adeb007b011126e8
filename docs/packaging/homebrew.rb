class Envc < Formula
  include Language::Python::Virtualenv

  desc "Compiles one Kubernetes configuration into every environment"
  homepage "${homepage}"
  url "${release}/envcompile-${version}.tar.gz"
  sha256 "${digest}"
  license "Apache-2.0"

  depends_on "git"
  depends_on "python@3.13"

  def install
    virtualenv_create(libexec, "python3.13", without_pip: false)
    # The lock of the archive has the digest of everything that is installed.
    system libexec/"bin/pip", "install", "--require-hashes", "--requirement", "requirements.lock"
    system libexec/"bin/pip", "install", "--no-deps", "."
    bin.install_symlink libexec/"bin/envc"
    man1.install_symlink Dir[libexec/"share/man/man1/*.1"]
    generate_completions_from_executable(bin/"envc", "completion", shells: [:bash, :zsh, :fish])
  end

  test do
    system bin/"envc", "init", "shop"
    system bin/"envc", "-C", "shop", "build"
    assert_path_exists testpath/"shop/environments"
  end
end
