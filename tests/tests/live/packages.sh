#!/bin/sh
# Makes the machine one on which three packages of scripts/install-packages are missing, and an
# archive of its own from which apt-get installs stand-ins for them: the tools are the real ones.
#
#   corosync          has a unit and an init script, and enables and starts both
#   iputils-arping    comes after it, and does what /fate says when it is configured
#   resource-agents   comes last, with a unit and an init script that do the same
set -eu
missing="corosync iputils-arping resource-agents"
# shellcheck disable=SC2086
dpkg --purge --force-depends --force-remove-essential $missing >/dev/null 2>&1
rm -rf /etc/apt/sources.list /etc/apt/sources.list.d/* /run/started
for package in corosync resource-agents; do
    rm -f /etc/rc?.d/*$package /etc/systemd/system/*/$package.service
    # As a purge does: what remembers that a unit was enabled once, and is not any more.
    find /var/lib/systemd -name "$package*" -delete
done
archive=/srv/archive
if [ ! -d $archive ]; then
    mkdir -p $archive
    for package in $missing; do
        tree=/srv/$package
        mkdir -p "$tree/DEBIAN"
        depends=
        [ "$package" != iputils-arping ] || depends='Depends: corosync'
        [ "$package" != resource-agents ] || depends='Depends: iputils-arping'
        cat >"$tree/DEBIAN/control" <<END
Package: $package
Version: 1:99
Architecture: all
Maintainer: nobody <nobody@example.org>
Description: stand-in
${depends:-Section: admin}
END
        if [ "$package" = iputils-arping ]; then
            cat >"$tree/DEBIAN/postinst" <<'END'
#!/bin/sh
case $(cat /fate) in
fail) echo "no luck today"; exit 1 ;;
interrupt) kill -INT -"$(cat /run/installer)"; exit 1 ;;
kill) kill -KILL "$(cat /run/installer)" || true ;;
esac
END
        else
            mkdir -p "$tree/lib/systemd/system" "$tree/etc/init.d"
            printf '[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=multi-user.target\nAlias=%s-alias.service\n' "$package" \
                >"$tree/lib/systemd/system/$package.service"
            cat >"$tree/etc/init.d/$package" <<END
#!/bin/sh
### BEGIN INIT INFO
# Provides: $package
# Required-Start: \$local_fs
# Required-Stop: \$local_fs
# Default-Start: 2 3 4 5
# Default-Stop: 0 1 6
### END INIT INFO
[ "\$1" != start ] || echo $package >>/run/started
END
            # What debhelper writes.
            cat >"$tree/DEBIAN/postinst" <<END
#!/bin/sh
set -e
update-rc.d $package defaults >/dev/null
invoke-rc.d $package start || exit 1
if deb-systemd-helper --quiet was-enabled $package.service; then
    deb-systemd-helper enable $package.service >/dev/null || true
else
    deb-systemd-helper update-state $package.service >/dev/null || true
fi
END
            chmod 755 "$tree/etc/init.d/$package"
            echo "/etc/init.d/$package" >"$tree/DEBIAN/conffiles"
        fi
        chmod 755 "$tree/DEBIAN/postinst"
        dpkg-deb --build --root-owner-group "$tree" "$archive/$package.deb" >/dev/null
        {
            dpkg-deb -f "$archive/$package.deb"
            echo "Filename: ./$package.deb"
            echo "Size: $(stat -c %s "$archive/$package.deb")"
            echo "SHA256: $(sha256sum <"$archive/$package.deb" | cut -d' ' -f1)"
            echo
        } >>$archive/Packages
    done
    # Of the machine's own: a unit that is enabled, and a policy that allows all but what is not.
    printf '[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=multi-user.target\n' >/etc/systemd/system/own.service
    mkdir -p /etc/systemd/system/multi-user.target.wants
    ln -s /etc/systemd/system/own.service /etc/systemd/system/multi-user.target.wants/own.service
    printf '#!/bin/sh\ncase "$*" in *"(start)"*) exit 101 ;; esac\n' >/etc/own-policy
    chmod 755 /etc/own-policy
    ln -sf /etc/own-policy /usr/sbin/policy-rc.d
fi
echo "deb [trusted=yes] file:$archive ./" >/etc/apt/sources.list
