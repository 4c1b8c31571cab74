#!/bin/sh
# Makes apps/server/assets/video/sample.mp4 from ffmpeg's test sources: a running clock and a bar that crosses the picture
# once in its 20 seconds, so that any frame tells where it belongs, and a beep each second.
set -eu
cd "$(dirname "$0")/.."
clock="drawtext=font=DejaVu Sans Mono:text='%{pts\:hms}':fontsize=72:fontcolor=white:x=(w-tw)/2:y=(h-th)/2"
hint="drawtext=font=DejaVu Sans:text='seek anywhere':fontsize=22:fontcolor=white@0.75:x=(w-tw)/2:y=h*0.66"
ffmpeg -nostdin -v error -y \
  -f lavfi -i 'gradients=size=640x360:rate=24:duration=20:seed=7:nb_colors=3:c0=0x12306b:c1=0x0f8b8d:c2=0x5b2a86:speed=0.008' \
  -f lavfi -i 'color=color=white@0.9:size=640x6:rate=24:duration=20' \
  -f lavfi -i 'sine=frequency=220:beep_factor=4:sample_rate=44100:duration=20' \
  -filter_complex "[0][1]overlay=x='-w+w*t/20':y=main_h-h[bar];[bar]${clock},${hint}[v];[2]volume=0.2[a]" \
  -map '[v]' -map '[a]' -c:v libx264 -profile:v main -preset veryslow -crf 30 -g 48 -pix_fmt yuv420p \
  -c:a aac -b:a 32k -ac 1 -map_metadata -1 -fflags +bitexact -movflags +faststart \
  apps/server/assets/video/sample.mp4
