#!/usr/bin/perl
# A small network service: answers each request with its own name and the machine's.
#   sphynx-service serve NAME udp|tcp PORT     in the foreground, until TERM
#   sphynx-service ask NAME udp|tcp PORT       exit status 0 when the service answers with its name
use strict;
use warnings;
use IO::Select;
use IO::Socket::INET;
use Sys::Hostname;

my ($verb, $name, $protocol, $port) = @ARGV;
die "usage: sphynx-service serve|ask NAME udp|tcp PORT\n" unless $port;
my $tcp = $protocol eq 'tcp';

if ($verb eq 'ask') {
    my $peer = IO::Socket::INET->new(
        Proto => $protocol, PeerAddr => '127.0.0.1', PeerPort => $port, Timeout => 2,
    ) or die "$name: $@\n";
    $peer->syswrite("who\n") or die "$name: $!\n";
    my $answer = '';
    IO::Select->new($peer)->can_read(2) or die "$name: no answer\n";
    $peer->sysread($answer, 512) or die "$name: $!\n";
    die "$name: answered by '$answer'\n" unless $answer =~ /^\Q$name\E on /;
    print $answer;
    exit 0;
}

my %listen = $tcp ? (Listen => 16, ReuseAddr => 1) : ();
my $server = IO::Socket::INET->new(Proto => $protocol, LocalPort => $port, %listen)
    or die "$name: cannot listen on $protocol port $port: $@\n";
my $answer = "$name on " . hostname() . "\n";
$SIG{TERM} = sub { exit 0 };
$SIG{PIPE} = 'IGNORE';
while (1) {
    if ($tcp) {
        my $client = $server->accept or next;
        # A client that says nothing must not hold up the others.
        $client->syswrite($answer) if IO::Select->new($client)->can_read(1) && $client->sysread(my $request, 512);
    } else {
        my $from = $server->recv(my $request, 512);
        $server->send($answer, 0, $from) if defined $from;
    }
}
