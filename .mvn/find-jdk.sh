# Sourced by mvnw and prism. Sets and exports JAVA_HOME to an installed JDK that is new enough, or says what to install.
# Plain sh: mvnw runs under whatever /bin/sh is.

PRISM_JDK=25

# Prints the feature release of the JDK in folder $1, or nothing if there is no JDK.
prism_jdk_release() {
  [ -x "$1/bin/javac" ] && [ -r "$1/release" ] || return 0
  sed -n 's/^JAVA_VERSION="\([0-9]*\).*/\1/p' "$1/release"
}

prism_jdk_fits() {
  prism_release="$(prism_jdk_release "$1")"
  [ -n "$prism_release" ] && [ "$prism_release" -ge "$PRISM_JDK" ]
}

# Prints candidate folders, one a line, the most specific first.
prism_jdk_candidates() {
  [ -z "${JAVA_HOME-}" ] || printf '%s\n' "$JAVA_HOME"
  [ -z "${JDK_HOME-}" ] || printf '%s\n' "$JDK_HOME"
  prism_javac="$(command -v javac 2>/dev/null)" || prism_javac=
  if [ -n "$prism_javac" ]; then
    prism_javac="$(readlink -f "$prism_javac" 2>/dev/null || printf '%s' "$prism_javac")"
    printf '%s\n' "${prism_javac%/bin/javac}"
  fi
  if [ -x /usr/libexec/java_home ]; then
    /usr/libexec/java_home -v "$PRISM_JDK+" 2>/dev/null || :
  fi
  for prism_folder in /usr/lib/jvm/* /usr/java/* /opt/java/* /opt/jdk* \
    "${HOME-}"/.sdkman/candidates/java/* "${HOME-}"/.jdks/* "${HOME-}"/.local/share/mise/installs/java/* \
    /Library/Java/JavaVirtualMachines/*/Contents/Home "${HOME-}"/Library/Java/JavaVirtualMachines/*/Contents/Home \
    /opt/homebrew/opt/openjdk*/libexec/openjdk.jdk/Contents/Home; do
    [ ! -d "$prism_folder" ] || printf '%s\n' "$prism_folder"
  done
}

# Of the JDK that was asked for by JAVA_HOME, the one on the PATH and those installed in the usual places, the first
# that fits.
prism_find_jdk() {
  prism_found=
  while IFS= read -r prism_candidate; do
    if prism_jdk_fits "$prism_candidate"; then
      prism_found="$prism_candidate"
      break
    fi
  done <<EOF
$(prism_jdk_candidates)
EOF
  if [ -z "$prism_found" ]; then
    {
      echo "PRISM needs a JDK $PRISM_JDK or newer, and none was found."
      echo "Looked at: JAVA_HOME (${JAVA_HOME:-not set}), the PATH ($(command -v javac || echo no javac)), /usr/lib/jvm, ~/.sdkman, ~/.jdks."
      echo "Install one, for instance:"
      echo "  Debian, Ubuntu:  sudo apt-get install openjdk-$PRISM_JDK-jdk   (or temurin-$PRISM_JDK-jdk from adoptium.net)"
      echo "  Fedora:          sudo dnf install java-$PRISM_JDK-openjdk-devel"
      echo "  macOS:           brew install openjdk@$PRISM_JDK"
      echo "  anywhere:        https://adoptium.net/temurin/releases/?version=$PRISM_JDK, unpacked into ~/.jdks"
      echo "JAVA_HOME need not be set if the JDK is in one of these places."
    } >&2
    return 1
  fi
  JAVA_HOME="$prism_found"
  export JAVA_HOME
}
