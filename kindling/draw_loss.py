"""Draws the log of a training as a picture: `python3 kindling/draw_loss.py LOG OUT.svg`."""

import json
import sys
from pathlib import Path

WIDTH, HEIGHT, LEFT, BOTTOM = 720, 320, 46, 34
COLORS = {"passage": "#1b6ca8", "extract": "#c0392b", "classify": "#27803b", "tools": "#8e44ad"}


def main(log, out):
    entries = [json.loads(line) for line in Path(log).read_text().splitlines()]
    last = entries[-1]["seen"]
    worst = max(e["loss"] for e in entries)

    def place(seen, share):
        x = LEFT + (WIDTH - LEFT - 12) * seen / last
        return f"{x:.1f},{12 + (HEIGHT - BOTTOM - 12) * (1 - share):.1f}"

    lines = [(("loss as weighted, of %.1f" % worst), "#888", [place(e["seen"], e["loss"] / worst) for e in entries])]
    judged = [e for e in entries if "right" in e]
    for task, color in COLORS.items():
        lines.append((f"{task}, right", color, [place(e["seen"], e["right"][task]) for e in judged]))
    svg = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="11">']
    svg.append(f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>')
    for i in range(6):
        y = float(place(0, i / 5).split(",")[1])
        svg.append(f'<line x1="{LEFT}" y1="{y}" x2="{WIDTH - 12}" y2="{y}" stroke="#e4e4e4"/>')
        svg.append(f'<text x="{LEFT - 6}" y="{y + 4}" text-anchor="end" fill="#555">{i * 20} %</text>')
    for i, (name, color, points) in enumerate(lines):
        if points:
            svg.append(f'<polyline fill="none" stroke="{color}" stroke-width="1.6" points="{" ".join(points)}"/>')
        svg.append(f'<text x="{LEFT + 12 + 130 * i}" y="{HEIGHT - 4}" fill="{color}">{name}</text>')
    svg.append(f'<text x="{WIDTH - 12}" y="{HEIGHT - 18}" text-anchor="end" fill="#555">{last / 1e6:.0f} million tokens</text></svg>')
    Path(out).write_text("\n".join(svg) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:3])
